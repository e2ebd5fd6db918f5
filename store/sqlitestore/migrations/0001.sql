-- Every table of roomkit begins with the prefix of the installation.
-- Ids of rooms and commands are the 16 bytes of their UUID; all other ids are
-- text and compare as bytes. Times are microseconds since 1970 in UTC. NULL
-- stands for "none". Enumerations are written by their names.

CREATE TABLE roomkit_meta (
  only_row       INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1),
  schema_version INTEGER NOT NULL, -- the newest migration that was applied
  epoch          TEXT NOT NULL     -- random; begins every cursor of this database
) STRICT;

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
  outsiders         INTEGER NOT NULL,
  line_users        INTEGER NOT NULL,
  bots              INTEGER NOT NULL,
  changed_at        INTEGER,
  name              TEXT,
  photo             TEXT,
  description       TEXT,
  origin            TEXT NOT NULL,
  team              TEXT,             -- of a team room
  creator           TEXT,
  party_a           TEXT,             -- of a direct room in byte order; of a self room its owner
  party_b           TEXT,
  history_sharing   INTEGER NOT NULL,
  notify            INTEGER NOT NULL,
  features          INTEGER NOT NULL, -- bits: note 1, event 2, task 4, folder 8, mailing list 16
  features_withheld INTEGER NOT NULL,
  message_off_since INTEGER,
  had_line          INTEGER NOT NULL,
  emptied_at        INTEGER NOT NULL, -- what was written before this version is gone
  emptied_on        INTEGER,
  created_at        INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX roomkit_rooms_name ON roomkit_rooms (company, name_key)
  WHERE name_key IS NOT NULL AND state = 'active';
CREATE INDEX roomkit_rooms_company ON roomkit_rooms (company, id) WHERE state = 'active';
CREATE INDEX roomkit_rooms_public ON roomkit_rooms (company, id)
  WHERE state = 'active' AND public = 1 AND kind IN ('group', 'external_group');
CREATE INDEX roomkit_rooms_digest ON roomkit_rooms (digest, id) WHERE state = 'active';

-- One row for every person who is or was in a room.
CREATE TABLE roomkit_members (
  room                 BLOB NOT NULL,
  user                 TEXT NOT NULL,
  company              TEXT,
  kind                 TEXT NOT NULL,    -- member, line, bot
  participant          INTEGER NOT NULL, -- 1: takes part
  master               INTEGER NOT NULL, -- 1: is a Group Master
  period               INTEGER NOT NULL, -- how often the person joined
  joined               TEXT NOT NULL,    -- how the last period began
  joined_at            INTEGER,
  joined_version       INTEGER NOT NULL, -- the room's version with which it began
  read_all             INTEGER NOT NULL, -- 1: may read from the beginning
  epoch_user           INTEGER NOT NULL, -- the directory versions that the admission relied on
  epoch_company        INTEGER NOT NULL,
  master_epoch_user    INTEGER NOT NULL,
  master_epoch_company INTEGER NOT NULL,
  "left"               TEXT NOT NULL,    -- how the last period ended; none while it lasts
  left_at              INTEGER,
  left_version         INTEGER NOT NULL,
  left_by              TEXT,             -- a user, or *system
  PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

CREATE INDEX roomkit_members_user ON roomkit_members (user, room) WHERE participant OR master;
CREATE INDEX roomkit_members_past ON roomkit_members (user, room) WHERE NOT (participant OR master);
CREATE INDEX roomkit_members_masters ON roomkit_members (room, user) WHERE master;

CREATE TABLE roomkit_users (
  id            TEXT NOT NULL PRIMARY KEY,
  version       INTEGER NOT NULL,
  company       TEXT,             -- NULL for LINE users
  kind          TEXT NOT NULL,    -- member, line, bot
  status        TEXT NOT NULL,    -- active, suspended, deleted
  administrator INTEGER NOT NULL,
  works         INTEGER NOT NULL, -- own permission to talk with users of other companies
  line          INTEGER NOT NULL, -- own permission to talk with LINE users
  works_since   INTEGER NOT NULL,
  works_lost    INTEGER NOT NULL,
  ended         INTEGER NOT NULL,
  groups        INTEGER NOT NULL  -- in how many groups the user takes part
) STRICT, WITHOUT ROWID;

CREATE INDEX roomkit_users_company ON roomkit_users (company, id);

CREATE TABLE roomkit_companies (
  id                    TEXT NOT NULL PRIMARY KEY,
  version               INTEGER NOT NULL,
  core                  INTEGER NOT NULL,
  members_create_groups INTEGER NOT NULL,
  works                 TEXT NOT NULL,    -- off, selected, all
  line                  TEXT NOT NULL,    -- off, selected, all
  max_groups            INTEGER NOT NULL,
  recall_window         INTEGER NOT NULL, -- nanoseconds
  works_off             INTEGER NOT NULL,
  works_narrowed        INTEGER NOT NULL,
  groups                INTEGER NOT NULL  -- how many groups the company owns
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
