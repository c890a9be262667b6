/* Asking a passkey: who is there, and (where it can) a secret that only it can say. The secret is never sent. */
import { fromUrl, toUrl, utf8 } from "./bytes.js";

const SECRET_OF = { eval: { first: utf8("microsite/desk/passkey/1") } };

export const known = () => Boolean(globalThis.PublicKeyCredential && navigator.credentials);
const secretIn = (credential) => credential.getClientExtensionResults().prf?.results?.first;
const common = (credential) => ({ id: credential.id, rawId: credential.id, type: credential.type });

export async function ask({ challenge, ...options }, ids = []) {
  const allowCredentials = ids.map((id) => ({ type: "public-key", id: fromUrl(id) }));
  const publicKey = { ...options, challenge: fromUrl(challenge), allowCredentials, extensions: { prf: SECRET_OF } };
  const credential = await navigator.credentials.get({ publicKey });
  const { clientDataJSON, authenticatorData, signature, userHandle } = credential.response;
  const response = {
    clientDataJSON: toUrl(clientDataJSON),
    authenticatorData: toUrl(authenticatorData),
    signature: toUrl(signature),
    userHandle: userHandle ? toUrl(userHandle) : null,
  };
  return { id: credential.id, secret: secretIn(credential), answer: JSON.stringify({ ...common(credential), response }) };
}

/* Only the secret: nothing is signed in with this question, so it may come from here. */
export async function secretOf(ids, rpId) {
  const challenge = toUrl(crypto.getRandomValues(new Uint8Array(32)));
  return ask({ challenge, rpId, userVerification: "required" }, ids);
}

export async function make({ challenge, user, excludeCredentials, ...options }) {
  const publicKey = {
    ...options,
    challenge: fromUrl(challenge),
    user: { ...user, id: fromUrl(user.id) },
    excludeCredentials: excludeCredentials.map((each) => ({ ...each, id: fromUrl(each.id) })),
    extensions: { prf: SECRET_OF },
  };
  const credential = await navigator.credentials.create({ publicKey });
  const { clientDataJSON, attestationObject } = credential.response;
  const response = { clientDataJSON: toUrl(clientDataJSON), attestationObject: toUrl(attestationObject) };
  const prf = credential.getClientExtensionResults().prf;
  return {
    id: credential.id,
    secret: secretIn(credential),
    mayHaveSecret: Boolean(prf && prf.enabled !== false),
    answer: JSON.stringify({ ...common(credential), response }),
  };
}
