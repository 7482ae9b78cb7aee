import { tourCommands } from "./command_tour.ts";

tourCommands("polling");
