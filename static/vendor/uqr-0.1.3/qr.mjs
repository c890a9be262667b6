/* A text as the dark and light modules of a QR code. */
import { encode } from "uqr";

export const modules = (text) => encode(text, { ecc: "M", border: 4 }).data;
