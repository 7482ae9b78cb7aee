/** Throws where nobody catches, and says whether it is still there. */
import { createLog } from "../../../lib/log.ts";
import { outliveUncaught } from "../../../lib/uncaught.ts";

const stop = outliveUncaught(createLog({ level: "info", secrets: ["hush-hush"] }));
setTimeout(() => {
  throw new Error("a timer, with hush-hush");
}, 0);
void Promise.reject(new Error("a promise"));
setTimeout(() => {
  console.log("still here");
  stop();
  void Promise.reject(new Error("the last one"));
}, 50);
