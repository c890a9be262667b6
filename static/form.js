/* The form, where JavaScript is on: name and note are sealed to the coach's keys before they leave this browser. What it
   seals with is loaded when the form is first touched. If anything of this cannot be had, the form is sent as it is. */
const STEP = 1024;
const LIMITS = { name: 80, note: 500 };
/* The same characters that the server takes out: controls, direction marks, breaks, halves of a pair. */
const ODD = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufffd\ufeff]/gu;
const clean = (text, lines) => text.replace(ODD, (sign) => (lines && (sign === "\n" || sign === "\t") ? sign : ""));

let loading = null;
const formOf = () => document.querySelector("form.details:has(input[name='sealed'])");
const sealer = () => {
  const { script } = formOf().elements.sealed.dataset;
  loading ??= import(script).then(({ seal }) => { sayWhich(); return seal; });
  loading.catch(() => { loading = null; });
  return loading;
};

/* The sentence beside the button says which of the two will happen; it changes when that is certain. */
let promised = false;
let broken = false;
function sayWhich() {
  promised = !broken;
  for (const part of document.querySelectorAll("[data-unsealed]")) part.hidden = promised;
  for (const part of document.querySelectorAll("[data-sealed]")) part.hidden = !promised;
}

/* What was promised and cannot be kept is taken back and said before anything leaves: pressing again is her choice. */
function takeBack() {
  broken = true;
  sayWhich();
  document.getElementById("live").textContent = formOf().elements.sealed.dataset.broken;
}

const tidy = (text) => text.replaceAll("\r\n", "\n").normalize("NFC").trim();
function wrong(text, name) {
  if (name === "name" && !text) return "empty";
  if (clean(text, name === "note") !== text) return "odd";
  return Array.from(text).length > LIMITS[name] ? "long" : "";
}

/* The form of microsite/sealing/plaintext.py: keys sorted, then spaces and one line feed up to a step. */
function plaintext({ name, email, note }, { language, consent }) {
  const written = { consent, email, language, name, note, v: 1, written_at: Math.floor(Date.now() / 1000) };
  const json = new TextEncoder().encode(JSON.stringify(written));
  const bytes = new Uint8Array(Math.ceil((json.length + 1) / STEP) * STEP).fill(0x20);
  bytes.set(json);
  bytes[bytes.length - 1] = 0x0a;
  return bytes;
}

const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

/* What is sent instead of what was typed. */
async function sealed(form, typed) {
  const seal = await sealer();
  const fields = new FormData(form);
  const { dataset } = form.elements.sealed;
  for (const name of ["name", "note"]) {
    fields.set(`wrong_${name}`, wrong(typed[name], name));
    fields.set(name, "");
    typed[name] = clean(typed[name], name === "note");
  }
  const box = form.elements.consent;
  fields.set("wrong_consent", box && typed.note && !box.checked ? "missing" : "");
  const bytes = plaintext(typed, dataset);
  if (!["wrong_name", "wrong_note", "wrong_consent"].some((wrong) => fields.get(wrong))) {
    fields.set("sealed", base64(await seal(dataset.recipients.split(" "), bytes)));
  }
  return new URLSearchParams(fields);
}

function post(address, fields) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.responseType = "document";
    request.onload = () => resolve(request);
    request.onerror = reject;
    request.send(fields);
  });
}

/* The page that came back with something to look at again: in place of this one, with what was typed put back. */
function showAgain(page, typed) {
  document.title = page.title;
  document.getElementById("main").replaceWith(document.adoptNode(page.getElementById("main")));
  const form = formOf();
  if (form) {
    form.elements.name.value = typed.name;
    form.elements.note.value = typed.note;
    sayWhich();
  }
  const problem = document.getElementById("problem") || document.getElementById("main");
  problem.focus();
  problem.scrollIntoView({ block: "start" });
}

async function send(event) {
  const form = event.target;
  if (form !== formOf()) return;
  event.preventDefault();
  const button = form.querySelector("button[type='submit']");
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  const typed = { name: tidy(form.elements.name.value), note: tidy(form.elements.note.value), email: form.elements.email.value.trim() };
  let fields;
  try {
    if (broken) throw new Error("it was said that it is sent as it is");
    fields = await sealed(form, typed);
  } catch {
    if (!promised) {
      form.submit();
      return;
    }
    takeBack();
    button.removeAttribute("aria-busy");
    return;
  }
  try {
    const answer = await post(form.action, fields);
    if (answer.status < 400 && answer.responseURL !== form.action) {
      location.assign(answer.responseURL);
    } else {
      button.removeAttribute("aria-busy");
      showAgain(answer.response, typed);
    }
  } catch {
    button.removeAttribute("aria-busy");
    document.getElementById("live").textContent = form.elements.sealed.dataset.offline;
  }
}

document.addEventListener("submit", send);
for (const kind of ["focusin", "input"]) {
  document.addEventListener(kind, (event) => { if (event.target.closest?.("form.details")) sealer().catch(() => {}); });
}
/* She may have been quicker than this file. */
if (formOf()?.contains(document.activeElement)) sealer().catch(() => {});
