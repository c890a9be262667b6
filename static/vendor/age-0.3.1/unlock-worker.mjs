/* scrypt takes a second and the main thread must not stand still: a Worker that wraps and unwraps by passphrase. */
import { Decrypter, Encrypter } from "age-encryption";

const jobs = {
  async wrap({ text, passphrase, factor }) {
    const encrypter = new Encrypter();
    encrypter.setPassphrase(passphrase);
    encrypter.setScryptWorkFactor(factor);
    return encrypter.encrypt(text);
  },
  async unwrap({ file, passphrase }) {
    const decrypter = new Decrypter();
    decrypter.addPassphrase(passphrase);
    return decrypter.decrypt(file, "text");
  },
};

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ done: await jobs[data.job](data) });
  } catch {
    self.postMessage({ failed: true });
  }
};
