/* The door: a passkey signs in and, where it can, opens what is sealed with the same touch; or the coach's own key. */
import { question, tell } from "./ask.js";
import { fromBase64 } from "./bytes.js";
import { wire, wrapsOf } from "./opener.js";
import * as passkey from "./passkey.js";
import { arrive, unlock } from "./sessions.js";
import * as vault from "./vault.js";

const PURPOSE = "microsite desk sign-in/1";
const DESK = document.querySelector("a.brand").href;

const door = document.getElementById("door");
if (door && passkey.known()) {
  const { dataset } = door;
  const wrong = door.querySelector("[data-wrong]");
  door.querySelector("[data-script]").hidden = false;
  document.getElementById("passkey").addEventListener("click", async () => {
    wrong.hidden = true;
    try {
      const found = await passkey.ask(await question(dataset.question, dataset.token));
      await tell(dataset.answer, dataset.token, { answer: found.answer });
      await arrive(DESK);
      await openWith(found);
    } catch {
      wrong.hidden = false;
    }
  });
}

/* The same touch opens what is sealed, if this passkey wraps the key; if not, the page asks as usual. */
async function openWith({ id, secret }) {
  const panel = document.getElementById("vault");
  const wrapped = panel && wrapsOf(panel.dataset).passkeys[id];
  if (!secret || !wrapped) return;
  try {
    await unlock(await vault.withSecret(secret, wrapped));
  } catch { /* another key wraps it meanwhile: the passphrase still opens */ }
}

const key = document.getElementById("key");
if (key) {
  key.querySelector("[data-script]").hidden = false;
  key.querySelector(".by-hand").open = false;
  const form = document.getElementById("answer-form");
  wire(key, { passphrase: [], passkeys: {} }, async (identities) => {
    vault.hold(...identities);
    try {
      const said = new TextDecoder().decode(await vault.openSealed(fromBase64(key.dataset.sealed)));
      const [purpose, origin, nonce] = said.split("\n");
      /* Only a sign-in to this very site is answered: nobody gets anything else opened here. */
      if (purpose !== PURPOSE || origin !== location.origin) throw new Error("not for this");
      await tell(form.action, form.elements.form_token.value, { answer: nonce });
    } catch (error) {
      vault.lock();
      throw error;
    }
    await arrive(DESK);
  });
}
