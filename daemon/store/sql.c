/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon/store/internal.h"

/*
 * job_count is kept by triggers, so that counting never looks at the jobs. Finished jobs are listed
 * by (state, id), which is also the order that lists are read in; those with a label by (key, value,
 * job). A request that is no JSON, or a label twice in it, is damage that the job's reader will
 * tell of; it does not keep the others from their labels.
 */
const char *const store_migrations[STORE_SCHEMA_VERSION] = {
	"CREATE TABLE job ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  state TEXT NOT NULL,"
	"  request TEXT NOT NULL,"
	"  owner INTEGER NOT NULL,"
	"  created INTEGER NOT NULL,"
	"  started INTEGER NOT NULL,"
	"  finished INTEGER NOT NULL,"
	"  port TEXT,"
	"  backup TEXT,"
	"  failure_code TEXT,"
	"  failure_message TEXT,"
	"  failure_hint TEXT,"
	"  attempts INTEGER NOT NULL"
	") STRICT;"
	"CREATE INDEX job_by_state ON job (state, id);"
	"CREATE TABLE job_count (state TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TRIGGER job_added AFTER INSERT ON job BEGIN"
	"  INSERT INTO job_count VALUES (new.state, 1)"
	"    ON CONFLICT (state) DO UPDATE SET n = n + 1;"
	"END;"
	"CREATE TRIGGER job_changed AFTER UPDATE OF state ON job WHEN old.state <> new.state BEGIN"
	"  UPDATE job_count SET n = n - 1 WHERE state = old.state;"
	"  INSERT INTO job_count VALUES (new.state, 1)"
	"    ON CONFLICT (state) DO UPDATE SET n = n + 1;"
	"END;"
	"CREATE TRIGGER job_removed AFTER DELETE ON job BEGIN"
	"  UPDATE job_count SET n = n - 1 WHERE state = old.state;"
	"END;"
	"CREATE TABLE backup ("
	"  id TEXT PRIMARY KEY,"
	"  path TEXT NOT NULL,"
	"  created INTEGER NOT NULL,"
	"  chip TEXT COLLATE NOCASE,"
	"  meid TEXT COLLATE NOCASE,"
	"  size INTEGER NOT NULL,"
	"  sha256 TEXT NOT NULL,"
	"  health INTEGER NOT NULL,"
	"  job INTEGER NOT NULL"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX backup_by_time ON backup (created, id);"
	"CREATE INDEX backup_by_meid ON backup (meid, created, id);"
	"CREATE INDEX backup_by_chip ON backup (chip, created, id);"
	"CREATE TABLE label ("
	"  key TEXT NOT NULL,"
	"  value TEXT NOT NULL,"
	"  backup TEXT NOT NULL REFERENCES backup (id) ON DELETE CASCADE,"
	"  PRIMARY KEY (key, value, backup)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX label_by_backup ON label (backup, key, value);",

	"ALTER TABLE job ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;"
	"UPDATE job SET asked = created;"
	/* No id is used twice, and what is in the audit stays as it is. */
	"CREATE TABLE audit ("
	"  id INTEGER PRIMARY KEY AUTOINCREMENT,"
	"  time INTEGER NOT NULL,"
	"  uid INTEGER NOT NULL,"
	"  action TEXT NOT NULL,"
	"  object TEXT,"
	"  detail TEXT"
	") STRICT;"
	"CREATE INDEX audit_by_object ON audit (object, id);"
	"CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN"
	"  SELECT RAISE(ABORT, 'the audit is append-only');"
	"END;"
	"CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit BEGIN"
	"  SELECT RAISE(ABORT, 'the audit is append-only');"
	"END;"
	"CREATE TABLE hook_run ("
	"  job INTEGER PRIMARY KEY REFERENCES job (id) ON DELETE CASCADE,"
	"  wanted INTEGER NOT NULL,"
	"  results TEXT"
	") STRICT;"
	"CREATE INDEX hook_run_wanted ON hook_run (job) WHERE wanted;"
	/* As job_count, kept by triggers. The first three may go down, the others never do. */
	"CREATE TABLE total (name TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO total SELECT 'backups', count(*) FROM backup"
	"  UNION ALL SELECT 'backup-bytes', coalesce(sum(size), 0) FROM backup"
	"  UNION ALL SELECT 'damaged', 0"
	"  UNION ALL VALUES ('done', 0), ('failed', 0), ('cancelled', 0), ('read-bytes', 0),"
	"    ('done-usec', 0);"
	"CREATE TABLE slot ("
	"  position INTEGER PRIMARY KEY,"
	"  place TEXT NOT NULL UNIQUE,"
	"  name TEXT UNIQUE,"
	"  excluded INTEGER NOT NULL,"
	"  rule TEXT,"
	"  labels TEXT"
	") STRICT;"
	"CREATE TABLE job_label ("
	"  key TEXT NOT NULL,"
	"  value TEXT NOT NULL,"
	"  job INTEGER NOT NULL REFERENCES job (id) ON DELETE CASCADE,"
	"  PRIMARY KEY (key, value, job)"
	") STRICT, WITHOUT ROWID;"
	"CREATE INDEX job_label_by_job ON job_label (job);"
	"INSERT OR IGNORE INTO job_label SELECT entry.key, entry.value, job.id"
	"  FROM job, json_each(iif(json_valid(request), request, '{}'), '$.labels') AS entry"
	"  WHERE entry.type = 'text';"
	"CREATE INDEX job_by_creation ON job (created);"
	"CREATE INDEX job_by_end ON job (finished, created);"
	/* content is NULL in rows of version 1 until the manifest has told it (recover.c). */
	"ALTER TABLE backup ADD COLUMN firmware TEXT COLLATE NOCASE;"
	"ALTER TABLE backup ADD COLUMN content TEXT;"
	"ALTER TABLE backup ADD COLUMN verified INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE backup ADD COLUMN damaged INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX backup_by_firmware ON backup (firmware, created, id);"
	"CREATE INDEX backup_by_digest ON backup (sha256, created, id);"
	"CREATE INDEX backup_by_content ON backup (content, created, id);"
	"CREATE INDEX backup_by_health ON backup (health, created, id);"
	"CREATE INDEX backup_by_verification ON backup (verified, id);"
	"CREATE INDEX backup_damaged ON backup (created, id) WHERE damaged = 1;"
	"CREATE TRIGGER backup_added AFTER INSERT ON backup BEGIN"
	"  UPDATE total SET n = n + CASE name WHEN 'backups' THEN 1 WHEN 'damaged' THEN new.damaged"
	"    ELSE new.size END WHERE name IN ('backups', 'backup-bytes', 'damaged');"
	"END;"
	"CREATE TRIGGER backup_removed AFTER DELETE ON backup BEGIN"
	"  UPDATE total SET n = n - CASE name WHEN 'backups' THEN 1 WHEN 'damaged' THEN old.damaged"
	"    ELSE old.size END WHERE name IN ('backups', 'backup-bytes', 'damaged');"
	"END;"
	"CREATE TRIGGER backup_verified AFTER UPDATE OF damaged ON backup BEGIN"
	"  UPDATE total SET n = n + new.damaged - old.damaged WHERE name = 'damaged';"
	"END;"
	"CREATE TRIGGER job_ended AFTER UPDATE OF state ON job"
	"  WHEN new.state IN ('done', 'failed', 'cancelled') AND old.state <> new.state BEGIN"
	"  UPDATE total SET n = n + 1 WHERE name = new.state;"
	"  UPDATE total SET n = n + CASE name WHEN 'done-usec' THEN max(new.finished - "
	"new.started, 0)"
	"    ELSE coalesce((SELECT size FROM backup WHERE id = new.backup), 0) END"
	"    WHERE new.state = 'done' AND name IN ('read-bytes', 'done-usec');"
	"END;",
};

#define NEWEST_IN(parameter)                                          \
	"SELECT id FROM (SELECT id FROM job WHERE state = " parameter \
	" AND id < ?1 ORDER BY id DESC LIMIT ?2)"

const char
	*const
		store_sql[_STORE_STATEMENT_MAX] = {
			[BEGIN] = "BEGIN IMMEDIATE",
			[COMMIT] = "COMMIT",
			[ROLLBACK] = "ROLLBACK",
			[INSERT_JOB] =
				"INSERT INTO job (state, started, finished, port, backup, "
				"failure_code, "
				"failure_message, failure_hint, attempts, asked, request, owner, "
				"created) "
				"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
			[INSERT_JOB_LABEL] =
				"INSERT INTO job_label (job, key, value) VALUES (?1, ?2, ?3)",
			[UPDATE_JOB] = "UPDATE job SET state = ?1, started = ?2, finished = ?3, "
				       "port = ?4, "
				       "backup = ?5, failure_code = ?6, failure_message = ?7, "
				       "failure_hint = ?8, "
				       "attempts = ?9, asked = ?10 WHERE id = ?11",
			[GET_JOB] = "SELECT " JOB_COLUMNS " FROM job WHERE id = ?1",
			[LIST_JOBS] = "SELECT " JOB_COLUMNS
				      " FROM job WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
			/* Reads at most limit index entries of each state, however many jobs there are. */
			[LIST_JOBS_IN] =
				"SELECT " JOB_COLUMNS
				" FROM job WHERE id IN (" NEWEST_IN("?3") " UNION ALL " NEWEST_IN("?4") " UNION ALL " NEWEST_IN(
					"?5") " UNION ALL " NEWEST_IN("?6") " UNION "
									    "ALL " NEWEST_IN("?7") " UNION ALL " NEWEST_IN(
										    "?8") ") ORDER "
											  "BY id "
											  "DESC "
											  "LIMIT "
											  "?2",
			[LOAD_UNFINISHED] =
				"SELECT " JOB_COLUMNS " FROM job "
				"WHERE state IN ('queued', 'running', 'waiting') ORDER BY id",
			[COUNT_JOBS] = "SELECT state, n FROM job_count",
			/*
			 * From one name to the next through the index, so that it is not read whole; no name
			 * comes after NULL.
			 */
			[LIST_BATCHES] =
				"WITH RECURSIVE name (value) AS ("
				"  SELECT min(value) FROM job_label WHERE key = 'batch'"
				"  UNION ALL"
				"  SELECT (SELECT min(value) FROM job_label"
				"    WHERE key = 'batch' AND value > name.value)"
				"  FROM name WHERE value IS NOT NULL"
				"), newest (value, job) AS ("
				"  SELECT value, (SELECT max(job) FROM job_label"
				"    WHERE key = 'batch' AND value = name.value) AS last"
				"  FROM name WHERE value IS NOT NULL ORDER BY last DESC LIMIT ?1"
				") SELECT newest.value, min(created),"
				"  iif(min(finished) > 0, max(finished), 0),"
				"  sum(state = 'queued'), sum(state = 'running'),"
				"  sum(state = 'waiting'), sum(state = 'done'),"
				"  sum(state = 'failed'), sum(state = 'cancelled')"
				"  FROM newest CROSS JOIN job_label AS label"
				"  ON label.key = 'batch' AND label.value = newest.value"
				"  CROSS JOIN job ON job.id = label.job"
				"  GROUP BY newest.job ORDER BY newest.job DESC",
			[INSERT_BACKUP] =
				"INSERT INTO backup (" BACKUP_STORED_COLUMNS ") "
				"VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
			[DELETE_BACKUP] = "DELETE FROM backup WHERE id = ?1",
			[GET_BACKUP] = "SELECT " BACKUP_COLUMNS " FROM backup WHERE id = ?1",
			/* Through an index that has all of it, and is a part of the size of the rows. */
			[LIST_BACKUP_KEYS] = "SELECT id, content IS NOT NULL FROM backup "
					     "INDEXED BY backup_by_content ORDER BY id",
			[SET_VERIFIED] =
				"UPDATE backup SET verified = ?2, damaged = ?3 WHERE id = ?1",
			[FIND_TWIN] = "SELECT id FROM backup WHERE content = ?1 AND damaged = 0 "
				      "ORDER BY created, id LIMIT 1",
			[INSERT_LABEL] =
				"INSERT INTO label (backup, key, value) VALUES (?1, ?2, ?3)",
			[LIST_LABELS] = "SELECT key, value FROM label WHERE backup = ?1 ORDER BY "
					"key, value",
			[LAST_BACKUP_OF] = "SELECT max(created) FROM backup WHERE meid = ?1",
			[NEXT_WATCH] = "SELECT min(meid) FROM backup WHERE meid > ?1",
			[LIST_TOTALS] = "SELECT name, n FROM total",
			[LAST_BACKUP] = "SELECT coalesce(max(created), 0) FROM backup",
			[LONGEST_UNVERIFIED] =
				"SELECT iif(verified > 0, verified, created) FROM backup "
				"ORDER BY verified, id LIMIT 1",
			[WANT_HOOKS] = "INSERT INTO hook_run VALUES (?1, 1, NULL) "
				       "ON CONFLICT (job) DO UPDATE SET wanted = wanted + 1",
			[WANTED_HOOKS] =
				"SELECT job, wanted FROM hook_run WHERE wanted ORDER BY job "
				"LIMIT ?1",
			[SET_HOOKS] = "UPDATE hook_run SET results = ?2, "
				      "wanted = iif(wanted = ?3, 0, wanted) WHERE job = ?1",
			[GET_HOOKS] = "SELECT results FROM hook_run WHERE job = ?1",
			[INSERT_AUDIT] = "INSERT INTO audit (time, uid, action, object, detail) "
					 "VALUES (?1, ?2, ?3, ?4, ?5)",
			[LIST_SLOTS] = "SELECT place, name, excluded, rule, labels FROM slot "
				       "ORDER BY position",
			[INSERT_SLOT] = "INSERT INTO slot (place, name, excluded, rule, labels) "
					"VALUES (?1, ?2, ?3, ?4, ?5)",
			[DELETE_SLOTS] = "DELETE FROM slot",
		};
