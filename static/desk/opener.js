/* The panel through which an identity comes into the browser; see the macro `opener` of the templates. */
import { fromBase64 } from "./bytes.js";
import * as passkey from "./passkey.js";
import * as vault from "./vault.js";

const MOST = 3;

/* `opened` is called with identities that something opened; `wraps` are the wrapped ones. What was typed stays until it
   has opened something: nobody types 24 words anew for one slip. */
export function wire(panel, wraps, opened) {
  const wrong = panel.querySelector("[data-wrong]");
  const working = panel.querySelector("[data-working]");
  const plain = wrong.textContent;
  const attempt = async (work) => {
    wrong.hidden = true;
    working.hidden = false;
    try {
      await opened(await work());
      for (const form of panel.querySelectorAll("form[data-open]")) form.reset();
    } catch (error) {
      const odd = error?.odd;
      wrong.textContent = odd ? wrong.dataset.odd.replace("…", odd.slice(0, MOST).join(", ")) : plain;
      wrong.hidden = false;
    } finally {
      working.hidden = true;
    }
  };
  const on = (name, kind, work) => {
    const part = panel.querySelector(`[data-open="${name}"]`);
    if (part) part.addEventListener(kind, (event) => { event.preventDefault(); attempt(() => work(part)); });
    return part;
  };

  const ids = Object.keys(wraps.passkeys);
  const button = on("passkey", "click", async () => {
    const { id, secret } = await passkey.secretOf(ids, location.hostname);
    return vault.withSecret(secret, wraps.passkeys[id]);
  });
  if (button) button.hidden = !(ids.length && passkey.known());
  on("passphrase", "submit", (form) => vault.withPassphrase(wraps.passphrase, form.elements.passphrase.value));
  on("identity", "submit", async (form) => {
    const { identity, file, secret } = form.elements;
    const [chosen] = file.files;
    return chosen ? vault.identitiesInFile(chosen, secret.value) : vault.identitiesIn(identity.value);
  });
}

export function wrapsOf(data) {
  const pairs = (data.passkeys || "").split(" ").filter(Boolean).map((pair) => pair.split(":"));
  return {
    passphrase: (data.passphrase || "").split(" ").filter(Boolean).map(fromBase64),
    passkeys: Object.fromEntries(pairs.map(([id, wrapped]) => [id, fromBase64(wrapped)])),
  };
}
