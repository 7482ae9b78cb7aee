/** Imports a program without starting it and prints which crons that alone has registered. PROGRAM: its file. */
const registered: { name: string; schedule: unknown; backoffSchedule: unknown }[] = [];
Object.defineProperty(Deno, "cron", {
  value: (name: string, schedule: unknown, options: { backoffSchedule?: unknown }) => {
    registered.push({ name, schedule, backoffSchedule: options.backoffSchedule });
  },
});
await import(new URL(`../../../${Deno.env.get("PROGRAM")}`, import.meta.url).href);
console.log(JSON.stringify(registered));
Deno.exit(0);
