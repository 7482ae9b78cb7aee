/** The texts of a folder as the desk takes them in: plain, and only those that are long enough and in English. */
import { ingest } from "../../../lib/articles/ingest.ts";
import { openBenchDatabase } from "../databases.ts";

export interface CorpusText {
  title: string;
  body: string;
  chars: number;
}

export async function readCorpus(folder: string): Promise<CorpusText[]> {
  const bench = await openBenchDatabase(null);
  try {
    await ingest(bench.db, folder);
    const { rows } = await bench.db.query<CorpusText>(
      `SELECT title, body, body_chars AS chars FROM articles
       WHERE body_chars > 1000 AND (language IS NULL OR language = 'en') ORDER BY id`,
    );
    return rows;
  } finally {
    await bench.close();
  }
}
