/* The sessions: names and notes opened into the page as text, closed again, and forms that keep the key open. */
import { visit } from "./ask.js";
import { fromBase64 } from "./bytes.js";
import { wire, wrapsOf } from "./opener.js";
import * as vault from "./vault.js";

const rows = () => document.querySelectorAll("li[data-sealed]");

function show(row, record) {
  const put = (name, text) => { row.querySelector(`[data-${name}]`).textContent = text; };
  put("name", record.name);
  put("note", record.note);
  put("email", record.email);
  row.querySelector("[data-note-row]").hidden = !record.note;
  const write = row.querySelector("[data-write]");
  write.hidden = !record.email;
  if (record.email) {
    const address = `mailto:${encodeURIComponent(record.email).replaceAll("%40", "@")}`;
    write.firstElementChild.href = address;
    row.querySelector("[data-email]").href = address;
  }
  row.querySelector("[data-opened]").hidden = false;
}

function empty(row) {
  for (const part of row.querySelectorAll("[data-name], [data-note], [data-email]")) part.textContent = "";
  for (const link of row.querySelectorAll("[data-email], [data-write] a")) link.removeAttribute("href");
  for (const part of row.querySelectorAll("[data-opened], [data-write], [data-cannot], [data-note-row]")) part.hidden = true;
}

async function openAll() {
  const opening = Array.from(rows(), async (row) => {
    try {
      const record = await vault.openRecord(fromBase64(row.dataset.sealed));
      if (vault.isOpen()) show(row, record);
      return true;
    } catch {
      row.querySelector("[data-cannot]").hidden = false;
      return false;
    }
  });
  const results = await Promise.all(opening);
  document.documentElement.dataset.opened = results.filter(Boolean).length;
  return results.some(Boolean) || !results.length;
}

function face() {
  const panel = document.getElementById("vault");
  if (!panel) return;
  const state = vault.isOpen() ? "open" : "locked";
  panel.dataset.state = state;
  for (const part of panel.querySelectorAll("[data-when]")) part.hidden = part.dataset.when !== state;
}

vault.onLock(() => {
  for (const row of rows()) empty(row);
  delete document.documentElement.dataset.opened;
  face();
});

export async function unlock(identities) {
  vault.hold(...identities);
  if (await openAll()) { face(); return; }
  vault.lock();
  throw new Error("opens nothing here");
}

/* A form sent without leaving, so that the key stays open. If anything is odd, the page is loaded as usual. */
async function stay(event) {
  const form = event.target;
  if (!form.matches("form[data-stay]") || !vault.isOpen()) return;
  event.preventDefault();
  try {
    await visit("POST", form.action, Object.fromEntries(new FormData(form)));
    await begin();
    document.getElementById("main").focus();
  } catch {
    const live = document.getElementById("live");
    live.textContent = live.dataset.failed;
    live.scrollIntoView({ block: "center" });
  }
}

export async function begin() {
  const panel = document.getElementById("vault");
  document.body.addEventListener("submit", stay);
  if (!panel) return;
  panel.hidden = false;
  wire(panel, wrapsOf(panel.dataset), unlock);
  panel.querySelector("[data-lock]").addEventListener("click", vault.lock);
  if (vault.isOpen()) await openAll();
  face();
}

/* From the door or the set-up to the sessions, with what they opened. */
export async function arrive(address) {
  await visit("GET", address);
  await begin();
  document.getElementById("main").focus();
}

if (document.querySelector("main[data-state='desk']")) begin();
