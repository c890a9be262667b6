/* What the desk needs: seal, open, new identities, an identity made from 32 given bytes (a passkey's secret); and, for
   its Worker, wrapping and unwrapping by passphrase. */
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from "age-encryption";
import { bech32 } from "@scure/base";

const PREFIX = "AGE-SECRET-KEY-";

export async function seal(recipients, bytes) {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(bytes);
}

export async function open(identities, sealed) {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  return decrypter.decrypt(sealed);
}

export async function wrapByPassphrase(text, passphrase, factor) {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase);
  encrypter.setScryptWorkFactor(factor);
  return encrypter.encrypt(text);
}

export async function unwrapByPassphrase(file, passphrase) {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  return decrypter.decrypt(file, "text");
}

export const newIdentity = generateX25519Identity;
export const recipientOf = identityToRecipient;
export const identityFrom = (bytes) => bech32.encodeFromBytes(PREFIX, bytes).toUpperCase();

export function bytesOf(identity) {
  const { prefix, bytes } = bech32.decodeToBytes(identity);
  if (prefix.toUpperCase() !== PREFIX || bytes.length !== 32) throw new Error("not an identity");
  return bytes;
}
