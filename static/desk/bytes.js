/* Bytes as text and back. */
export const utf8 = (text) => new TextEncoder().encode(text);
export const fromBase64 = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
export const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
export const fromUrl = (text) => fromBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
export const toUrl = (bytes) =>
  toBase64(new Uint8Array(bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
export const toHex = (bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
