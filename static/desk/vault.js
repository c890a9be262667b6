/* The coach's identities, in the memory of this tab and nowhere else: opened by passphrase, passkey, words or file,
   dropped after 15 minutes without a touch, when the page is left, and by a button. */
import { bytesOf, identityFrom, open, recipientOf } from "../vendor/age-0.3.1/desk.js";
import { utf8 } from "./bytes.js";

const IDLE = 15 * 60 * 1000;
export const FACTOR = 17;
const WORKER = new URL("unlock-worker.js", import.meta.url).href;
const only = {
  createScriptURL(url) {
    if (url !== WORKER) throw new TypeError("one Worker at one address");
    return url;
  },
};
const policy = globalThis.trustedTypes ? globalThis.trustedTypes.createPolicy("vault", only) : only;

let held = [];
let touchedAt = 0;
let timer = 0;
const listeners = new Set();

export const isOpen = () => held.length > 0;
export const onLock = (call) => listeners.add(call);

export function hold(...identities) {
  held = [...new Set([...held, ...identities])];
  touch();
}

export function lock() {
  held = [];
  clearTimeout(timer);
  for (const call of listeners) call();
}

export function touch() {
  if (!isOpen()) return;
  touchedAt = Date.now();
  clearTimeout(timer);
  timer = setTimeout(lock, IDLE);
}

/* A timer may sleep with the device; the clock does not. */
const look = () => { if (isOpen() && Date.now() - touchedAt >= IDLE) lock(); };

for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { look(); touch(); }, { passive: true });
addEventListener("visibilitychange", look);
addEventListener("pagehide", lock);

export const openSealed = (bytes) => open(held, bytes);

export async function openRecord(bytes) {
  const record = JSON.parse(new TextDecoder().decode(await openSealed(bytes)));
  if (record.v !== 1) throw new Error("written by a later version");
  return record;
}

/* scrypt, in a Worker of its own that ends with its work. */
function passphraseJob(job) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(policy.createScriptURL(WORKER), { type: "module" });
    const end = (settle, value) => { worker.terminate(); settle(value); };
    worker.onmessage = ({ data }) => (data.failed ? end(reject, new Error("wrong")) : end(resolve, data.done));
    worker.onerror = () => end(reject, new Error("no Worker"));
    worker.postMessage(job);
  });
}

/* People type words with capitals, dots and more spaces than there were. */
export const tidy = (passphrase) => passphrase.trim().toLowerCase().split(/[\s.-]+/).join(" ");

export const wrap = (identity, passphrase) =>
  passphraseJob({ job: "wrap", text: `${identity}\n`, passphrase: tidy(passphrase), factor: FACTOR });

export async function withPassphrase(files, passphrase) {
  for (const given of new Set([tidy(passphrase), passphrase])) {
    for (const file of files) {
      try {
        return await identitiesIn(await passphraseJob({ job: "unwrap", file, passphrase: given }));
      } catch { /* the next one */ }
    }
  }
  throw new Error("wrong");
}

/* What a passkey says becomes an identity of its own; the everyday identity is sealed to that one. */
export async function identityOfSecret(secret) {
  const key = await crypto.subtle.importKey("raw", secret, "HKDF", false, ["deriveBits"]);
  const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: utf8("microsite/desk/passkey/1") };
  return identityFrom(new Uint8Array(await crypto.subtle.deriveBits(how, key, 256)));
}

export async function withSecret(secret, wrapped) {
  return identitiesIn(new TextDecoder().decode(await open([await identityOfSecret(secret)], wrapped)));
}

/* Identities in a text: lines of an identity file, or the 24 words of a recovery sheet. */
export async function identitiesIn(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
  const found = lines.map((line) => line.toUpperCase().replaceAll(" ", "")).filter((line) => line.startsWith("AGE-"));
  if (found.length) {
    for (const identity of found) await recipientOf(identity);
    return found;
  }
  const { fromWords, wordlist } = await import("../vendor/bip39-2.4.0/words.js");
  const words = text.toLowerCase().replace(/[^a-z]+/g, " ").trim().split(" ");
  const odd = words.filter((word) => word && !wordlist.includes(word));
  if (odd.length) throw Object.assign(new Error("not the words of a sheet"), { odd });
  return [identityFrom(fromWords(words))];
}

/* A key file: lines, or an age file that a passphrase opens. */
export async function identitiesInFile(file, passphrase) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const begins = new TextDecoder().decode(bytes.subarray(0, 21));
  if (begins === "age-encryption.org/v1") return withPassphrase([bytes], passphrase);
  return identitiesIn(new TextDecoder().decode(bytes));
}

export { bytesOf };
