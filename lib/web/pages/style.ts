/** The look of the pages: one style sheet, light and dark by the reader's system, from a phone to a wide screen. */
import { themeCss } from "../../charts/charts.ts";

export const STYLE = `
:root{color-scheme:light dark;--surface:#fff;--raised:#f6f7f9;--ink:#1b1f24;--muted:#59616b;--line:#dfe3e8;
--accent:#1d5fd1;--good:#17694f;--warn:#8a4b00;--bad:#a3163a;--mark:#ffe9a8;--track:#e3e6ea}
@media (prefers-color-scheme:dark){:root{--surface:#14171c;--raised:#1c2027;--ink:#e8ebef;--muted:#a3abb5;--line:#2b3038;
--accent:#8ab4ff;--good:#56d6a9;--warn:#f0b25e;--bad:#ff8fa5;--mark:#5a4a12;--track:#2b3038}}
*{box-sizing:border-box}
body{margin:0;background:var(--surface);color:var(--ink);font:16px/1.5 Inter,system-ui,sans-serif}
a{color:var(--accent)}
a:focus-visible,button:focus-visible,summary:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.skip{position:absolute;left:-999px}.skip:focus{left:1rem;top:.5rem;background:var(--surface);padding:.5rem;z-index:1}
.heard{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);margin:0}
header{border-bottom:1px solid var(--line);background:var(--raised)}
header nav,main,footer{max-width:76rem;margin:0 auto;padding:0 1rem}
header nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;align-items:baseline;padding-top:.75rem;padding-bottom:.75rem}
header nav strong{margin-right:.5rem}
header a{text-decoration:none}header a[aria-current]{color:var(--ink);font-weight:600;border-bottom:2px solid var(--accent)}
main{padding-top:1rem;padding-bottom:3rem}
footer{color:var(--muted);font-size:.875rem;padding-bottom:2rem}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0 .75rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1.25rem 0 .25rem}
p{margin:.4rem 0;max-width:68ch}
.muted{color:var(--muted)}.small{font-size:.875rem}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1rem 0;padding:0}
.figures div{background:var(--raised);border:1px solid var(--line);border-radius:.6rem;padding:.6rem .8rem}
.figures dt{color:var(--muted);font-size:.8rem}.figures dd{margin:0;font-size:1.25rem;font-variant-numeric:tabular-nums}
.figures dd small{display:block;font-size:.8rem;color:var(--muted)}
.state{display:inline-block;border:1px solid currentColor;border-radius:1rem;padding:0 .6rem;font-size:.8rem;font-weight:600;
white-space:nowrap}
.good{color:var(--good)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.bar{display:block;width:100%;height:.8rem;border-radius:.4rem;background:var(--track);margin:.75rem 0}
.bar .good{fill:var(--good)}.bar .bad{fill:var(--bad)}.bar .warn{fill:var(--warn)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:.6rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.5rem .75rem;color:var(--muted);font-size:.875rem}
th,td{text-align:left;padding:.4rem .75rem;border-top:1px solid var(--line);vertical-align:top}
thead th{border-top:0;color:var(--muted);font-weight:600;font-size:.8rem;white-space:nowrap}
td.n,th.n{text-align:right;white-space:nowrap}td.whole{white-space:nowrap}td.wide{min-width:16rem;overflow-wrap:anywhere}
.alerts{list-style:none;padding:0;margin:1rem 0}
.alerts li{border-left:4px solid currentColor;background:var(--raised);padding:.4rem .8rem;margin:.4rem 0;border-radius:.3rem}
.alerts span{color:var(--ink)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,30rem),1fr));gap:1rem;align-items:start}
figure{margin:0;max-width:46rem}figure svg{width:100%;height:auto;border:1px solid var(--line);border-radius:.6rem}
.text{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--raised);border:1px solid var(--line);border-radius:.6rem;
padding:1rem;max-width:none}
mark{background:var(--mark);color:inherit;border-radius:.2rem}
blockquote{margin:.4rem 0;padding:.1rem 0 .1rem .8rem;border-left:3px solid var(--line)}
time{white-space:nowrap}
.pages{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:.75rem 0}
.badge{color:var(--muted);font-size:.8rem}
code{font-family:ui-monospace,monospace;font-size:.9em;overflow-wrap:anywhere}
${themeCss()}`;
