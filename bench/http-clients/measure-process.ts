import { variants } from "./variants.js";

// Sends requests with one variant and prints the processor time of a request in microseconds.
// Usage: node measure-process.js VARIANT URL COUNT

const IN_FLIGHT = 16;
const WARM_UP = 3000;

const [name = "", url = "", count = "6000"] = process.argv.slice(2);
const variant = variants[name];
if (!variant) throw new Error(`unknown variant: ${name}`);
const post = variant.prepare(url);
const body = JSON.stringify({ appid: 2222223, secret: "emulator-secret", username: "user-7" });

await postMany(WARM_UP);
const before = process.cpuUsage();
await postMany(Number(count));
const { user, system } = process.cpuUsage(before);
process.stdout.write(`${(user + system) / Number(count)}\n`);
process.exit();

async function postMany(total: number): Promise<void> {
  let left = total;
  const postNext = async () => {
    while (left-- > 0) {
      const reply = await post(body);
      if (!reply.includes('"cmi-200"')) throw new Error(`${name}: unexpected response: ${reply}`);
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, postNext));
}
