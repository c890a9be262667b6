/* The offline opener: one file, no network, no server. A key and sealed records go in, text comes out. */
import { Decrypter, identityToRecipient } from "age-encryption";
import { bech32 } from "@scure/base";
import { mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";

const VERSION = "age-encryption.org/v1";
const by = (id) => document.getElementById(id);
const tidy = (text) => text.trim().toLowerCase().split(/[\s.-]+/).join(" ");

async function identitiesIn(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
  const found = lines.map((line) => line.toUpperCase().replaceAll(" ", "")).filter((line) => line.startsWith("AGE-"));
  if (!found.length) {
    const words = text.toLowerCase().replace(/[^a-z]+/g, " ").trim();
    found.push(bech32.encodeFromBytes("AGE-SECRET-KEY-", mnemonicToEntropy(words, wordlist)).toUpperCase());
  }
  for (const identity of found) await identityToRecipient(identity);
  return found;
}

async function unwrap(bytes, passphrase) {
  for (const given of new Set([tidy(passphrase), passphrase])) {
    try {
      const decrypter = new Decrypter();
      decrypter.addPassphrase(given);
      return await decrypter.decrypt(bytes, "text");
    } catch { /* the other spelling */ }
  }
  throw new Error("wrong passphrase");
}

async function key() {
  const file = by("key-file").files[0];
  if (!file) return identitiesIn(by("key").value);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const sealed = new TextDecoder().decode(bytes.subarray(0, VERSION.length)) === VERSION;
  return identitiesIn(sealed ? await unwrap(bytes, by("passphrase").value) : new TextDecoder().decode(bytes));
}

function show(name, record) {
  const entry = document.createElement("section");
  const heading = Object.assign(document.createElement("h2"), { textContent: name });
  entry.append(heading, ...[record.name, record.email, record.note].map((text) =>
    Object.assign(document.createElement("p"), { textContent: text || "" })));
  by("records").append(entry);
}

by("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  by("records").replaceChildren();
  by("said").textContent = "…";
  let identities;
  try {
    identities = await key();
  } catch {
    by("said").textContent = by("said").dataset.key;
    return;
  }
  let closed = 0;
  for (const file of by("files").files) {
    try {
      const decrypter = new Decrypter();
      for (const identity of identities) decrypter.addIdentity(identity);
      show(file.name, JSON.parse(await decrypter.decrypt(new Uint8Array(await file.arrayBuffer()), "text")));
    } catch {
      closed += 1;
    }
  }
  by("said").textContent = closed ? `${closed} ${by("said").dataset.closed}` : "";
});
