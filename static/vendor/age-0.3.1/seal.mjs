/* What the booking form needs: seal bytes to X25519 recipients (age1…). Nothing here opens anything. */
import { Encrypter } from "age-encryption";

export async function seal(recipients, bytes) {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return encrypter.encrypt(bytes);
}
