/** Text from outside made safe to show in a terminal. */

// What a source wrote may hold escape sequences that would move the cursor or rename the window.
// deno-lint-ignore no-control-regex -- they are what is taken out
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

/** Line breaks stay. */
export function safe(text: string): string {
  return text.replace(CONTROL, "");
}
