/** The API for people: every route with its parameters and answers, made from the same description machines read. */
import { html } from "hono/html";
import type { OpenAPIHono } from "@hono/zod-openapi";
import type { Html, Page } from "./layout.ts";

type Description = ReturnType<OpenAPIHono["getOpenAPI31Document"]>;
type Operation = NonNullable<NonNullable<Description["paths"]>[string]["get"]>;

export function referencePage(description: Description): Page {
  const operations = Object.entries(description.paths ?? {}).flatMap(([path, item]) =>
    (["get", "post"] as const).flatMap((method) =>
      item[method] ? [{ path, method, operation: item[method] }] : []
    )
  );
  const tags = [...new Set(operations.flatMap(({ operation }) => operation.tags ?? []))];
  return {
    title: "API",
    place: "/reference",
    body: html`<h1>API</h1>
<p>${description.info.description}</p>
<p>For machines: <a href="/openapi.json"><code>/openapi.json</code></a> (OpenAPI ${description.openapi}),
<a href="/metrics"><code>/metrics</code></a> (Prometheus).</p>
${
      tags.map((tag) =>
        html`<h2>${tag}</h2>${
          operations.filter(({ operation }) => operation.tags?.includes(tag)).map((
            { path, method, operation },
          ) => showOperation(path, method, operation))
        }`
      )
    }`,
  };
}

function showOperation(path: string, method: string, operation: Operation): Html {
  const parameters = (operation.parameters ?? []).flatMap((parameter) =>
    "name" in parameter ? [parameter] : []
  );
  return html`<h3><code>${method.toUpperCase()} ${path}</code></h3>
<p>${operation.summary}${
    operation.security
      ? html`
        <span class="badge">needs API_TOKEN</span>
      `
      : ""
  }</p>
${operation.description ? html`<p class="muted">${operation.description}</p>` : ""}
${
    parameters.length === 0
      ? ""
      : html`<ul>${
        parameters.map(({ name, in: where, description }) =>
          html`<li><code>${name}</code> (${where})${description ? `: ${description}` : ""}</li>`
        )
      }</ul>`
  }
<p class="small muted">${
    Object.entries(operation.responses ?? {}).map(([status, answer]) =>
      `${status}: ${"description" in answer ? answer.description : ""}`
    ).join(" · ")
  }</p>`;
}
