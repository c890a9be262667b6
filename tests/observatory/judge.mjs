/* The scorer of the HTTP Observatory over one host on this machine: arguments are the two ports and the paths. */
import { scan } from "./scan.mjs";

const [httpPort, httpsPort, ...paths] = process.argv.slice(2);
const found = {};
for (const path of paths) found[path] = await scan("localhost", { httpPort, httpsPort, path });
process.stdout.write(JSON.stringify(found));
