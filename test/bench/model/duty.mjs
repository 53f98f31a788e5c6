// A neighbour that uses a known share of the CPU to which it is bound: DUTY, from 0 to 1. It computes whenever its CPU time is behind
// that share of the time that has passed. On SIGTERM it prints the share that it had.
const duty = Number(process.env.DUTY);
const PAUSE_MS = 4;
/** After a pause in which it was not let run, it does not take the whole CPU for long. */
const MOST_MS = 20;

const used = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
};
const [begun, before] = [performance.now(), used()];

function step() {
  const until = Math.min(used() + MOST_MS, before + duty * (performance.now() - begun));
  while (used() < until);
  setTimeout(step, PAUSE_MS);
}
process.stdin.on('end', () => process.exit(0)).resume();
process.on('SIGTERM', () => {
  const share = (used() - before) / (performance.now() - begun);
  process.stdout.write(`${share}\n`, () => process.exit(0));
});
step();
