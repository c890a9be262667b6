/* The first visit and every change of keys. Keys are made here; the server gets their public parts and what is wrapped. */
import { modules } from "../vendor/uqr-0.1.3/qr.js";
import { toWords, wordlist } from "../vendor/bip39-2.4.0/words.js";
import { newIdentity, open, recipientOf, seal } from "../vendor/age-0.3.1/desk.js";
import { question, tell } from "./ask.js";
import { fromBase64, toBase64, toHex, utf8 } from "./bytes.js";
import { wire } from "./opener.js";
import * as passkey from "./passkey.js";
import { arrive } from "./sessions.js";
import * as vault from "./vault.js";

const WORDS = 6;
const BACK = 4;
const PER_GROUP = 2;
const root = document.getElementById("set-up");
const made = {};
let current = "";

const step = (name) => root.querySelector(`[data-step="${name}"]`);
const inside = (name, part) => step(name).querySelector(part);

function go(name) {
  current = name;
  for (const each of root.querySelectorAll("[data-step]")) each.hidden = each.dataset.step !== name;
  for (const mark of root.querySelectorAll("[data-mark]")) {
    if (mark.dataset.mark === name) mark.setAttribute("aria-current", "step");
    else mark.removeAttribute("aria-current");
  }
  step(name).querySelector("h2").focus();
  if (name === "passphrase") newWords();
}

function newWords() {
  const picks = crypto.getRandomValues(new Uint16Array(WORDS));
  made.passphrase = Array.from(picks, (pick) => wordlist[pick % wordlist.length]).join(" ");
  document.getElementById("words").textContent = made.passphrase;
}

function drawSheet() {
  const words = toWords(vault.bytesOf(made.recovery));
  made.groups = [];
  for (let at = 0; at < words.length; at += PER_GROUP) made.groups.push(words.slice(at, at + PER_GROUP).join(" "));
  const item = (text) => Object.assign(document.createElement("li"), { textContent: text });
  document.querySelector("#sheet .groups").replaceChildren(...made.groups.map(item));
  document.querySelector("#sheet code").textContent = made.recovery;
  drawCode(document.querySelector("#sheet .qr"), modules(made.recovery));
  const asked = made.groups.length - BACK;
  inside("back", ".groups-back").replaceChildren(...made.groups.slice(asked).map((_, at) => groupField(asked + at + 1)));
}

function groupField(number) {
  const field = Object.assign(document.createElement("div"), { className: "field" });
  const label = Object.assign(document.createElement("label"), { textContent: String(number), htmlFor: `group-${number}` });
  const input = Object.assign(document.createElement("input"), { id: label.htmlFor, type: "text", autocomplete: "off" });
  input.setAttribute("autocapitalize", "none");
  input.spellcheck = false;
  field.append(label, input);
  return field;
}

function drawCode(svg, rows) {
  const dark = rows.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : "")));
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", dark.join(""));
  svg.setAttribute("viewBox", `0 0 ${rows.length} ${rows.length}`);
  svg.replaceChildren(path);
}

async function makeKeys(form) {
  const wrong = inside("passphrase", "[data-wrong]");
  wrong.hidden = vault.tidy(form.elements.again.value) === made.passphrase;
  const successor = form.elements.successor.value.trim();
  const odd = inside("passphrase", "[data-wrong-successor]");
  odd.hidden = !successor || /^age1[a-z0-9]{58}$/.test(successor);
  if (!wrong.hidden || !odd.hidden) return;
  const working = inside("passphrase", "[data-working]");
  working.hidden = false;
  made.successor = successor;
  made.everyday = await newIdentity();
  made.recovery = await newIdentity();
  made.wrapped = await vault.wrap(made.everyday, made.passphrase);
  working.hidden = true;
  form.reset();
  drawSheet();
  go("sheet");
}

function saveFile() {
  const file = new Blob([made.wrapped], { type: "application/octet-stream" });
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: "key.age" });
  link.click();
  URL.revokeObjectURL(link.href);
}

/* Whether the groups are those of the sheet; those that are not are marked, and the first of them is shown. */
function readBack() {
  const asked = made.groups.slice(-BACK);
  const inputs = Array.from(inside("back", ".groups-back").querySelectorAll("input"));
  const wrong = inputs.filter((input, at) => vault.tidy(input.value) !== asked[at]);
  for (const input of inputs) {
    input.parentElement.classList.toggle("wrong", wrong.includes(input));
    input.setAttribute("aria-invalid", String(wrong.includes(input)));
  }
  wrong[0]?.focus();
  return !wrong.length;
}

async function finish() {
  const [wrong, working, failed] = ["[data-wrong]", "[data-working]", "[data-failed]"].map((part) => inside("back", part));
  wrong.hidden = readBack();
  failed.hidden = true;
  if (!wrong.hidden) return;
  working.hidden = false;
  try {
    await store();
    await arrive(root.dataset.desk);
  } catch {
    failed.hidden = false;
    working.hidden = true;
  }
}

/* New keys first, then every record, then the old keys: broken off anywhere, nothing is lost. */
async function store() {
  const { dataset } = root;
  const recipients = [await recipientOf(made.everyday), await recipientOf(made.recovery)];
  if (made.successor) recipients.push(made.successor);
  const [everyday, recovery, successor = ""] = recipients;
  const wrapped = toBase64(made.wrapped);
  await tell(dataset.addKeys, dataset.token, { everyday, recovery, successor, wrapped });
  await wrapForPasskey();
  if (made.earlier) await resealAll(recipients);
  if (dataset.hasKeys) await tell(dataset.retire, dataset.token, {});
  vault.lock();
  vault.hold(made.everyday);
}

async function resealAll(recipients) {
  const answer = await fetch(root.dataset.records);
  const records = await answer.json();
  const progress = inside("back", "[data-progress]");
  for (const [at, { ref, sealed }] of records.entries()) {
    progress.textContent = `${at + 1} / ${records.length}`;
    const old = fromBase64(sealed);
    let text;
    try {
      text = await open(made.earlier, old);
    } catch {
      continue; /* sealed to yet another key: it stays as it is */
    }
    const digest = toHex(await crypto.subtle.digest("SHA-256", old));
    const anew = toBase64(await seal(recipients, text));
    await tell(root.dataset.reseal, root.dataset.token, { ref, digest, sealed: anew });
  }
}

/* The passkey as a second way to the everyday key. It may fail (another touch, an old device): the passphrase is enough. */
async function wrapForPasskey() {
  const ids = root.dataset.ids.trim().split(" ").filter(Boolean);
  if (made.passkey) ids.unshift(made.passkey);
  if (!ids.length || !passkey.known()) return;
  try {
    const found = made.secret ? { id: made.passkey, secret: made.secret } : await passkey.secretOf(ids, location.hostname);
    if (!found.secret) return;
    const wrapped = await seal([await recipientOf(await vault.identityOfSecret(found.secret))], utf8(`${made.everyday}\n`));
    await tell(root.dataset.wrap, root.dataset.token, { id: found.id, wrapped: toBase64(wrapped) });
  } catch { /* see above */ }
}

async function makePasskey(panel, dataset) {
  const wrong = panel.querySelector("[data-wrong]");
  wrong.hidden = true;
  try {
    const found = await passkey.make(await question(dataset.ask, dataset.token));
    await tell(dataset.add, dataset.token, { answer: found.answer });
    return found;
  } catch {
    wrong.hidden = false;
    return null;
  }
}

const actions = {
  lost: () => go("passkey"),
  passphrase: () => go("passphrase"),
  sheet: () => go("sheet"),
  back: () => go("back"),
  "other-words": newWords,
  "make-keys": makeKeys,
  print: () => print(),
  "save-file": saveFile,
  finish,
  "make-passkey": async () => {
    const { dataset } = root;
    const found = await makePasskey(step("passkey"), { ask: dataset.ask, add: dataset.addPasskey, token: dataset.token });
    if (!found) return;
    made.passkey = found.id;
    made.secret = found.secret;
    go("passphrase");
  },
};

if (root) {
  root.querySelector("[data-script]").hidden = false;
  for (const part of root.querySelectorAll("[data-go]")) {
    part.addEventListener(part.matches("form") ? "submit" : "click", (event) => {
      event.preventDefault();
      actions[part.dataset.go](part);
    });
  }
  wire(step("earlier"), { passphrase: root.dataset.wrapped.split(" ").filter(Boolean).map(fromBase64), passkeys: {} }, async (found) => {
    const records = await (await fetch(root.dataset.records)).json();
    const fits = await Promise.allSettled(records.map(({ sealed }) => open(found, fromBase64(sealed))));
    if (!fits.some(({ status }) => status === "fulfilled")) throw new Error("opens nothing");
    made.earlier = found;
    go("passkey");
  });
  addEventListener("pagehide", () => { for (const name of Object.keys(made)) delete made[name]; });
  addEventListener("beforeunload", (event) => { if (["sheet", "back"].includes(current)) event.preventDefault(); });
  go(Number(root.dataset.count) ? "earlier" : "passkey");
}

const ring = document.getElementById("new-passkey");
if (ring && passkey.known()) {
  const { question: ask, answer: add, token } = ring.dataset;
  ring.hidden = false;
  ring.querySelector("button").addEventListener("click", async () => {
    if (await makePasskey(ring, { ask, add, token })) location.reload();
  });
}
