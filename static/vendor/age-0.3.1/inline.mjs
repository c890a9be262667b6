/* Puts the offline opener's script into its page, and the hashes of script and style into its policy. */
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const [page, script, target] = process.argv.slice(2);
const hash = (text) => `sha256-${createHash("sha256").update(text).digest("base64")}`;
const html = readFileSync(page, "utf8");
const code = readFileSync(script, "utf8").trim().replaceAll("</script", "<\\/script");
const style = html.match(/<style>(.*?)<\/style>/s)[1];
const parts = { "@SCRIPT@": hash(code), "@STYLE@": hash(style), "@CODE@": code };
writeFileSync(target, html.replace(/@(SCRIPT|STYLE|CODE)@/g, (name) => parts[name]));
