/* 32 bytes as 24 words and back (BIP-39, English: the first four letters tell any two words apart). */
import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";

export const toWords = (bytes) => entropyToMnemonic(bytes, wordlist).split(" ");
export const fromWords = (words) => mnemonicToEntropy(words.join(" "), wordlist);
export { wordlist };
