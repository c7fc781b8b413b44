-- A database as the first version of the schema had it, with two jobs and a backup of one of them.
BEGIN;
CREATE TABLE job (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state TEXT NOT NULL,
  request TEXT NOT NULL,
  owner INTEGER NOT NULL,
  created INTEGER NOT NULL,
  started INTEGER NOT NULL,
  finished INTEGER NOT NULL,
  port TEXT,
  backup TEXT,
  failure_code TEXT,
  failure_message TEXT,
  failure_hint TEXT,
  attempts INTEGER NOT NULL
) STRICT;
CREATE INDEX job_by_state ON job (state, id);
CREATE TABLE job_count (state TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TRIGGER job_added AFTER INSERT ON job BEGIN
  INSERT INTO job_count VALUES (new.state, 1)
    ON CONFLICT (state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER job_changed AFTER UPDATE OF state ON job WHEN old.state <> new.state BEGIN
  UPDATE job_count SET n = n - 1 WHERE state = old.state;
  INSERT INTO job_count VALUES (new.state, 1)
    ON CONFLICT (state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER job_removed AFTER DELETE ON job BEGIN
  UPDATE job_count SET n = n - 1 WHERE state = old.state;
END;
CREATE TABLE backup (
  id TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  created INTEGER NOT NULL,
  chip TEXT COLLATE NOCASE,
  meid TEXT COLLATE NOCASE,
  size INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  health INTEGER NOT NULL,
  job INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX backup_by_time ON backup (created, id);
CREATE INDEX backup_by_meid ON backup (meid, created, id);
CREATE INDEX backup_by_chip ON backup (chip, created, id);
CREATE TABLE label (
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  backup TEXT NOT NULL REFERENCES backup (id) ON DELETE CASCADE,
  PRIMARY KEY (key, value, backup)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_by_backup ON label (backup, key, value);
INSERT INTO job VALUES (1, 'done', '{}', 1000, 1795444270123456, 1795444271000000,
  1795444280000000, NULL, 'some-backup', NULL, NULL, NULL, 1);
INSERT INTO job VALUES (2, 'queued', '{"timeout":60.0}', 1000, 1795444290000000, 0,
  0, NULL, NULL, NULL, NULL, NULL, 0);
INSERT INTO backup VALUES ('some-backup', '/x', 1795444280000000, 'MT6261', NULL, 4194304,
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 97, 1);
INSERT INTO label VALUES ('ticket', '4711', 'some-backup');
PRAGMA user_version = 1;
COMMIT;
