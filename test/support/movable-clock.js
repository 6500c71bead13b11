// Loaded before a program by `node --import`. SIGUSR2 moves the system clock and the monotonic clock half an hour ahead. SIGHUP
// sets the system clock alone back by an hour, and SIGWINCH ahead by an hour. Each signal is confirmed on stderr.
const { now } = performance;
const { now: date } = Date;
let ahead = 0;
let back = 0;
performance.now = () => now.call(performance) + ahead;
Date.now = () => date() + ahead - back;
process.on("SIGUSR2", () => {
  ahead += 1_800_000;
  process.stderr.write("moved\n");
});
process.on("SIGHUP", () => {
  back += 3_600_000;
  process.stderr.write("moved\n");
});
process.on("SIGWINCH", () => {
  back -= 3_600_000;
  process.stderr.write("moved\n");
});
