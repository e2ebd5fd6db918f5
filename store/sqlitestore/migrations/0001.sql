-- Every table of roomkit begins with the prefix of the installation.
-- Ids of rooms and commands are the 16 bytes of their UUID; all other ids are
-- text and compare as bytes. Times are microseconds since 1970 in UTC. NULL
-- stands for "none". Enumerations are written by their names.

CREATE TABLE roomkit_meta (
  only_row       INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
  schema_version INTEGER NOT NULL, -- the newest migration that was applied
  epoch          TEXT NOT NULL     -- random; begins every cursor of this database
) STRICT;

-- What most rows do not have stands in one column as a JSON array, or NULL, so that
-- what is read and written all the time stays short. The views at the end name the
-- parts. (Generated columns would be computed with every write.)

CREATE TABLE roomkit_rooms (
  id                BLOB NOT NULL PRIMARY KEY,
  version           INTEGER NOT NULL, -- number of events so far
  kind              TEXT NOT NULL,    -- self, direct, general, group, external_group, team
  state             TEXT NOT NULL,    -- active, ended
  company           TEXT,             -- the owning company
  public            INTEGER NOT NULL, -- 1: found by colleagues
  name_key          TEXT,             -- the folded name where it is unique in the company
  digest            BLOB NOT NULL,    -- of the set of participants; an index, not an identity
  participants      INTEGER NOT NULL,
  masters           INTEGER NOT NULL,
  changed_at        INTEGER,
  created_at        INTEGER,
  name              TEXT,
  photo             TEXT,
  description       TEXT,
  origin            TEXT NOT NULL,
  creator           TEXT,
  flags             INTEGER NOT NULL, -- bits: history sharing 2, notify 4, features withheld 8, had LINE 16,
                                      -- features from 32 on: note, event, task, folder, mailing list
  more              TEXT              -- [outsiders, line_users, bots, emptied_at, emptied_on, message_off_since, team, party_a, party_b]
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX roomkit_rooms_name ON roomkit_rooms (company, name_key)
  WHERE name_key IS NOT NULL AND state = 'active';
CREATE INDEX roomkit_rooms_company ON roomkit_rooms (company, id) WHERE state = 'active';
CREATE INDEX roomkit_rooms_public ON roomkit_rooms (company, id)
  WHERE state = 'active' AND public = 1 AND kind IN ('group', 'external_group');
CREATE INDEX roomkit_rooms_digest ON roomkit_rooms (digest, id) WHERE state = 'active';

-- One row for every person who is or was in a room. With these ON CONFLICT clauses
-- an INSERT replaces a row and cannot be undone halfway, so that SQLite keeps no
-- copy of the pages for one that writes many rows, as it does for INSERT OR REPLACE.
CREATE TABLE roomkit_members (
  room           BLOB NOT NULL ON CONFLICT FAIL,
  user           TEXT NOT NULL ON CONFLICT FAIL,
  company        TEXT,
  kind           TEXT NOT NULL ON CONFLICT FAIL,    -- member, line, bot
  participant    INTEGER NOT NULL ON CONFLICT FAIL, -- 1: takes part
  master         INTEGER NOT NULL ON CONFLICT FAIL, -- 1: is a Group Master
  read_all       INTEGER NOT NULL ON CONFLICT FAIL, -- 1: may read from the beginning
  period         INTEGER NOT NULL ON CONFLICT FAIL, -- how often the person joined
  joined         TEXT NOT NULL ON CONFLICT FAIL,    -- how the last period began
  joined_at      INTEGER,
  joined_version INTEGER NOT NULL ON CONFLICT FAIL, -- the room's version with which it began
  epoch_user     INTEGER NOT NULL ON CONFLICT FAIL, -- the directory versions that the admission relied on
  epoch_company  INTEGER NOT NULL ON CONFLICT FAIL,
  more           TEXT,                              -- [master_epoch_user, master_epoch_company, left, left_at, left_version, left_by]
  PRIMARY KEY (room, user) ON CONFLICT REPLACE
) STRICT, WITHOUT ROWID;

CREATE INDEX roomkit_members_user ON roomkit_members (user, room, participant, master) WHERE participant OR master;
CREATE INDEX roomkit_members_past ON roomkit_members (user, room) WHERE NOT (participant OR master);
CREATE INDEX roomkit_members_masters ON roomkit_members (room, user) WHERE master;

CREATE TABLE roomkit_users (
  id            TEXT NOT NULL PRIMARY KEY,
  version       INTEGER NOT NULL,
  company       TEXT,             -- NULL for LINE users
  kind          TEXT NOT NULL,    -- member, line, bot
  status        TEXT NOT NULL,    -- active, suspended, deleted
  flags         INTEGER NOT NULL, -- bits: administrator 1, may talk with users of other companies 2, with LINE users 4
  groups        INTEGER NOT NULL, -- in how many groups the user takes part
  more          TEXT              -- [works_since, works_lost, ended], which are versions
) STRICT, WITHOUT ROWID;

CREATE INDEX roomkit_users_company ON roomkit_users (company, id);

CREATE TABLE roomkit_companies (
  id                    TEXT NOT NULL PRIMARY KEY,
  version               INTEGER NOT NULL,
  groups                INTEGER NOT NULL, -- how many groups the company owns
  settings              TEXT NOT NULL     -- [core, members_create_groups, works, line, max_groups, recall_window, works_off, works_narrowed]
) STRICT, WITHOUT ROWID;

CREATE TABLE roomkit_teams (
  id         TEXT NOT NULL PRIMARY KEY,
  version    INTEGER NOT NULL,
  company    TEXT,
  name       TEXT,
  leader     TEXT,
  room       INTEGER NOT NULL, -- 1: a team room is allowed
  features   INTEGER NOT NULL, -- 1: the leader has the right over features
  photo      INTEGER NOT NULL, -- 1: the leader has the right over the photo
  preset     INTEGER NOT NULL, -- bits, as roomkit_rooms.features
  notify     INTEGER NOT NULL,
  synced_seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE roomkit_team_members (
  team TEXT NOT NULL,
  user TEXT NOT NULL,
  PRIMARY KEY (team, user)
) STRICT, WITHOUT ROWID;

-- The events. A record is of a room (then room is set) or of a user, company or
-- team (then id is set).
CREATE TABLE roomkit_records (
  position INTEGER NOT NULL PRIMARY KEY, -- its place in the feed, without gaps
  subject  TEXT NOT NULL,                -- room, user, company, team
  room     BLOB,
  id       TEXT,
  version  INTEGER NOT NULL,             -- of the subject, with this event
  type     TEXT NOT NULL,                -- for instance member.joined
  at       INTEGER,
  command  BLOB NOT NULL,
  data     BLOB                          -- the encoded event
) STRICT;

CREATE UNIQUE INDEX roomkit_records_room ON roomkit_records (room, version) WHERE room IS NOT NULL;
CREATE UNIQUE INDEX roomkit_records_id ON roomkit_records (id, subject, version) WHERE id IS NOT NULL;

-- What was carried out, so that nothing is carried out twice.
CREATE TABLE roomkit_commands (
  id       BLOB NOT NULL PRIMARY KEY,
  digest   BLOB NOT NULL,    -- of the payload
  room     BLOB,             -- the room concerned
  changed  INTEGER NOT NULL, -- 0: everything was already so
  position INTEGER,          -- of its last record
  records  INTEGER NOT NULL, -- how many records end at position
  events   TEXT              -- the events of the outcome where they are not just those records
) STRICT, WITHOUT ROWID;

CREATE TABLE roomkit_checkpoints (
  name   TEXT NOT NULL PRIMARY KEY,
  cursor TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The tables whose rows hold several values in one column, with a name for each.
CREATE VIEW roomkit_rooms_view AS SELECT id, version, kind, state, company, public, name_key, digest, participants, masters,
  coalesce(more ->> 0, 0) AS outsiders, coalesce(more ->> 1, 0) AS line_users, coalesce(more ->> 2, 0) AS bots,
  changed_at, created_at, name, photo, description, origin, creator,
  more ->> 6 AS team,    -- of a team room
  more ->> 7 AS party_a, -- of a direct room in byte order; of a self room its owner
  more ->> 8 AS party_b,
  flags >> 1 & 1 AS history_sharing, flags >> 2 & 1 AS notify, flags >> 3 & 1 AS features_withheld, flags >> 4 & 1 AS had_line,
  flags >> 5 AS features,                   -- bits: note 1, event 2, task 4, folder 8, mailing list 16
  coalesce(more ->> 3, 0) AS emptied_at,    -- what was written before this version is gone
  more ->> 4 AS emptied_on, more ->> 5 AS message_off_since
FROM roomkit_rooms;

CREATE VIEW roomkit_members_view AS SELECT room, user, company, kind, participant, master, read_all, period, joined, joined_at, joined_version,
  epoch_user, epoch_company, coalesce(more ->> 0, 0) AS master_epoch_user, coalesce(more ->> 1, 0) AS master_epoch_company,
  coalesce(more ->> 2, 'none') AS "left", -- how the last period ended; none while it lasts
  more ->> 3 AS left_at, coalesce(more ->> 4, 0) AS left_version,
  more ->> 5 AS left_by                   -- a user, or *system
FROM roomkit_members;

CREATE VIEW roomkit_users_view AS SELECT id, version, company, kind, status, flags & 1 AS administrator,
  flags >> 1 & 1 AS works, -- own permission to talk with users of other companies
  flags >> 2 & 1 AS line,  -- own permission to talk with LINE users
  coalesce(more ->> 0, 0) AS works_since, coalesce(more ->> 1, 0) AS works_lost, coalesce(more ->> 2, 0) AS ended, groups
FROM roomkit_users;

CREATE VIEW roomkit_companies_view AS SELECT id, version, settings ->> 0 AS core, settings ->> 1 AS members_create_groups,
  settings ->> 2 AS works, settings ->> 3 AS line, -- off, selected, all
  settings ->> 4 AS max_groups,
  settings ->> 5 AS recall_window,                 -- nanoseconds
  settings ->> 6 AS works_off, settings ->> 7 AS works_narrowed, groups
FROM roomkit_companies;
