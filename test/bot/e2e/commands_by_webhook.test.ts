import { tourCommands } from "./command_tour.ts";

tourCommands("webhook");
