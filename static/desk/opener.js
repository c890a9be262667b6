/* The panel through which an identity comes into the browser; see the macro `opener` of the templates. */
import { fromBase64 } from "./bytes.js";
import * as passkey from "./passkey.js";
import * as vault from "./vault.js";

/* `opened` is called with identities that something opened; `wraps` are the wrapped ones. */
export function wire(panel, wraps, opened) {
  const wrong = panel.querySelector("[data-wrong]");
  const working = panel.querySelector("[data-working]");
  const attempt = async (work) => {
    wrong.hidden = true;
    working.hidden = false;
    try {
      await opened(await work());
    } catch {
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
  on("passphrase", "submit", (form) => {
    const typed = form.elements.passphrase;
    const given = typed.value;
    typed.value = "";
    return vault.withPassphrase(wraps.passphrase, given);
  });
  on("identity", "submit", async (form) => {
    const { identity, file, secret } = form.elements;
    const [text, chosen, passphrase] = [identity.value, file.files[0], secret.value];
    form.reset();
    return chosen ? vault.identitiesInFile(chosen, passphrase) : vault.identitiesIn(text);
  });
}

export function wrapsOf(data) {
  const pairs = (data.passkeys || "").split(" ").filter(Boolean).map((pair) => pair.split(":"));
  return {
    passphrase: (data.passphrase || "").split(" ").filter(Boolean).map(fromBase64),
    passkeys: Object.fromEntries(pairs.map(([id, wrapped]) => [id, fromBase64(wrapped)])),
  };
}
