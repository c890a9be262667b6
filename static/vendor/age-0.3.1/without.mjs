/* In place of libraries that are not wanted: post-quantum and P-256. */
const none = () => { throw new Error("only what this site uses is in this bundle"); };
const nothing = new Proxy({}, { get: none });
export { nothing as MLKEM768P256, nothing as MLKEM768X25519, nothing as p256 };
