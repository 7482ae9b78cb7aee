/** A part of the desk in the chat: its commands and buttons, each for a role, behind an error boundary of its own. */
import { CommandGroup } from "@grammyjs/commands";
import { Composer } from "grammy";
import { mayAct } from "./access.ts";
import type { Verb } from "./button_data.ts";
import type { DeskContext, Role } from "./context.ts";
import type { Kit } from "./kit.ts";
import { plain } from "./replies/format.ts";
import { reply, toast } from "./speak.ts";
import { tellError } from "./tell_error.ts";

export type CommandHandler = (ctx: DeskContext, text: string) => Promise<void>;
export type ButtonHandler = (ctx: DeskContext, args: readonly string[]) => Promise<void>;

export interface CommandInfo {
  name: string;
  /** What it is for, in the menu and in /help. */
  description: string;
  role: Role;
}

export class Feature {
  readonly commands: CommandInfo[] = [];
  readonly group = new CommandGroup<DeskContext>({ ignoreCase: true });
  readonly composer = new Composer<DeskContext>();
  readonly #inner: Composer<DeskContext>;

  constructor(kit: Kit) {
    this.#inner = this.composer.errorBoundary((error) => tellError(kit.log, error.ctx, error.error));
    this.#inner.use(this.group);
  }

  /** @param text The handler gets what was typed behind the command. */
  command(name: string, description: string, role: Role, handler: CommandHandler): this {
    this.commands.push({ name, description, role });
    return this.hidden(name, handler, description, role);
  }

  /** A command that no menu and no help shows. */
  hidden(name: string, handler: CommandHandler, description = name, role: Role = "viewer"): this {
    this.group.command(name, description, async (ctx) => {
      if (!mayAct(ctx.person.role, role)) {
        await reply(ctx, { text: plain(`/${name} is for operators; you may look.`) });
        return;
      }
      await handler(ctx, ctx.msg.text?.replace(/^\S+\s*/, "") ?? "");
    });
    return this;
  }

  button(verb: Verb, role: Role, handler: ButtonHandler): this {
    this.#inner.filter((ctx) => ctx.button?.verb === verb, async (ctx) => {
      if (!mayAct(ctx.person.role, role)) {
        return void await toast(ctx, "This is for operators; you may look.", true);
      }
      await handler(ctx, ctx.button?.args ?? []);
      await toast(ctx);
    });
    return this;
  }
}
