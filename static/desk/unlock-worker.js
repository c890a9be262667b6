/* scrypt takes a second and the main thread must not stand still: a Worker that wraps and unwraps by passphrase. What it
   does that with is the desk's own bundle, which the browser has already. */
import { unwrapByPassphrase, wrapByPassphrase } from "../vendor/age-0.3.1/desk.js";

const jobs = {
  wrap: ({ text, passphrase, factor }) => wrapByPassphrase(text, passphrase, factor),
  unwrap: ({ file, passphrase }) => unwrapByPassphrase(file, passphrase),
};

self.onmessage = async ({ data }) => {
  try {
    self.postMessage({ done: await jobs[data.job](data) });
  } catch {
    self.postMessage({ failed: true });
  }
};
