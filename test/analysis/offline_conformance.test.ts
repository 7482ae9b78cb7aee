import { createOfflineAnalyst } from "../../lib/analysis/offline/analyst.ts";
import { describeAnalystConformance } from "./conformance.ts";

describeAnalystConformance("the offline analyst", () =>
  Promise.resolve({
    analyst: createOfflineAnalyst({ model: "gemini-3.5-flash-lite" }),
    close: () => Promise.resolve(),
  }));
