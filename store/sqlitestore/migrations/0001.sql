-- Comments stand inside of the statements, because SQLite keeps them there: what is
-- said here is in sqlite_schema, too. A file that is released never changes. A later one
-- adds a column by
--
--     ALTER TABLE roomkit_rooms ADD COLUMN topic TEXT /* as it was given */;
--
-- with this form of comment at the end: SQLite puts the text before the ")" of the
-- table, which "--" would hide. NOT NULL needs a DEFAULT. What needs a new table is
-- copied with all its rows; TestUpgrade looks whether they are there.

CREATE TABLE roomkit_meta (
  -- What the database says of itself, in one row.
  -- In all tables: ids of rooms and commands are the 16 bytes of their UUID; all other
  -- ids are text and compare as bytes. Times are microseconds since 1970 in UTC. NULL
  -- stands for "none". Enumerations are written by their names.
  only_row       INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1), -- always 1
  schema_version INTEGER NOT NULL, -- the newest migration that was applied
  epoch          TEXT NOT NULL     -- random; begins every cursor of this database
) STRICT;

CREATE TABLE roomkit_rooms (
  -- One row for every room.
  id                BLOB NOT NULL PRIMARY KEY, -- 16 bytes
  version           INTEGER NOT NULL, -- number of events so far
  kind              TEXT NOT NULL,    -- self, direct, general, group, external_group, team
  state             TEXT NOT NULL,    -- active, ended
  company           TEXT,             -- the owning company
  public            INTEGER NOT NULL, -- 1: found by colleagues
  name_key          TEXT,             -- the folded name where it is unique in the company
  digest            BLOB NOT NULL,    -- of the set of participants; an index, not an identity
  participants      INTEGER NOT NULL, -- how many take part, bots too
  masters           INTEGER NOT NULL, -- how many are Group Masters, whether or not they take part
  partners         INTEGER NOT NULL, -- who take part and are of other companies
  consumers        INTEGER NOT NULL, -- who take part and are consumers
  bots              INTEGER NOT NULL, -- who take part and are bots
  changed_at        INTEGER,          -- time of the newest event
  created_at        INTEGER,          -- time of the first event
  name              TEXT,             -- as it was given; NULL: hosts show the names of the people
  photo             TEXT,             -- the host's reference to a picture
  description       TEXT,             -- as it was given
  origin            TEXT NOT NULL,    -- the way of creation: picker, event, mail, room, contacts, invite, system
  creator           TEXT,             -- the user who created it; NULL: the system did
  team              TEXT,             -- of a team room
  party_a           TEXT,             -- of a direct room the first in byte order; of a self room its owner
  party_b           TEXT,             -- of a direct room the second
  history_sharing   INTEGER NOT NULL, -- 1: who joins may read what was before
  notify            INTEGER NOT NULL, -- 1: group notification is on
  features_withheld INTEGER NOT NULL, -- 1: masters have no right over features
  had_consumers          INTEGER NOT NULL, -- 1: consumers take part or have taken part
  features          INTEGER NOT NULL, -- bits: note 1, event 2, task 4, folder 8, mailing list 16
  message_off_since INTEGER,          -- since when nothing can be written; NULL: it can
  emptied_at        INTEGER NOT NULL, -- what was written before this version is gone
  emptied_on        INTEGER           -- when that was
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX roomkit_rooms_name ON roomkit_rooms (company, name_key)
  WHERE name_key IS NOT NULL AND state = 'active';
CREATE INDEX roomkit_rooms_company ON roomkit_rooms (company, id) WHERE state = 'active';
CREATE INDEX roomkit_rooms_public ON roomkit_rooms (company, id)
  WHERE state = 'active' AND public = 1 AND kind IN ('group', 'external_group');
CREATE INDEX roomkit_rooms_digest ON roomkit_rooms (digest, id) WHERE state = 'active';

CREATE TABLE roomkit_members (
  -- One row for every person who is or was in a room. With these ON CONFLICT clauses
  -- an INSERT replaces a row and cannot be undone halfway, so that SQLite keeps no
  -- copy of the pages for one that writes many rows, as it does for INSERT OR REPLACE.
  room           BLOB NOT NULL ON CONFLICT FAIL,    -- roomkit_rooms.id
  user           TEXT NOT NULL ON CONFLICT FAIL,    -- roomkit_users.id
  company        TEXT,                              -- of the person; NULL for consumers
  kind           TEXT NOT NULL ON CONFLICT FAIL,    -- member, consumer, bot
  participant    INTEGER NOT NULL ON CONFLICT FAIL, -- 1: takes part
  master         INTEGER NOT NULL ON CONFLICT FAIL, -- 1: is a Group Master
  read_all       INTEGER NOT NULL ON CONFLICT FAIL, -- 1: may read from the beginning
  period         INTEGER NOT NULL ON CONFLICT FAIL, -- how often the person joined
  joined         TEXT NOT NULL ON CONFLICT FAIL,    -- how the last period began: created, invited, added, reopened, organisation, ...
  joined_at      INTEGER,                           -- when it began
  joined_version INTEGER NOT NULL ON CONFLICT FAIL, -- the room's version with which it began
  epoch_user     INTEGER NOT NULL ON CONFLICT FAIL, -- the version of the user that the admission relied on
  epoch_company  INTEGER NOT NULL ON CONFLICT FAIL, -- the version of the company that it relied on
  master_epoch_user    INTEGER NOT NULL ON CONFLICT FAIL, -- the version of the user that the appointment as master relied on
  master_epoch_company INTEGER NOT NULL ON CONFLICT FAIL, -- the version of the company that it relied on
  "left"         TEXT,                              -- how the last period ended: self, removed, room_ended, ...; NULL: it lasts
  left_at        INTEGER,                           -- when it ended
  left_version   INTEGER NOT NULL ON CONFLICT FAIL, -- the room's version with which it ended
  left_by        TEXT,                              -- a user, or *system
  PRIMARY KEY (room, user) ON CONFLICT REPLACE
) STRICT, WITHOUT ROWID;

CREATE INDEX roomkit_members_user ON roomkit_members (user, room, participant, master) WHERE participant OR master;
CREATE INDEX roomkit_members_past ON roomkit_members (user, room) WHERE NOT (participant OR master);
CREATE INDEX roomkit_members_masters ON roomkit_members (room, user) WHERE master;

CREATE TABLE roomkit_users (
  -- One row for every user of the directory.
  id            TEXT NOT NULL PRIMARY KEY, -- as the host gave it
  version       INTEGER NOT NULL, -- number of events so far
  company       TEXT,             -- NULL for consumers
  kind          TEXT NOT NULL,    -- member, consumer, bot
  status        TEXT NOT NULL,    -- active, suspended, deleted
  administrator INTEGER NOT NULL, -- 1: administers the company
  partners         INTEGER NOT NULL, -- own permission to talk with users of other companies
  consumers          INTEGER NOT NULL, -- own permission to talk with consumers
  partners_since   INTEGER NOT NULL, -- partners_narrowed of the company when partners was granted last
  partners_lost    INTEGER NOT NULL, -- the version of the user when partners was withdrawn last
  ended         INTEGER NOT NULL, -- the version of the user when the account was deleted last
  groups        INTEGER NOT NULL  -- in how many groups the user takes part
) STRICT, WITHOUT ROWID;

CREATE INDEX roomkit_users_company ON roomkit_users (company, id);

CREATE TABLE roomkit_companies (
  -- One row for every company of the directory.
  id                    TEXT NOT NULL PRIMARY KEY, -- as the host gave it
  version               INTEGER NOT NULL, -- number of events so far
  licensed                  INTEGER NOT NULL, -- 1: has the product without which there are no rooms
  members_create_groups INTEGER NOT NULL, -- 1: not only administrators create groups
  partners                 TEXT NOT NULL,    -- who may talk with users of other companies: off, selected, all
  consumers                  TEXT NOT NULL,    -- who may talk with consumers: off, selected, all
  max_groups            INTEGER NOT NULL, -- how many groups it may own; 0: 100,000
  recall_window         INTEGER NOT NULL, -- how long own messages can be recalled, in nanoseconds; 0: 24 hours
  partners_off             INTEGER NOT NULL, -- the version with which partners became off last
  partners_narrowed        INTEGER NOT NULL, -- the version with which partners went from all to selected last
  groups                INTEGER NOT NULL  -- how many groups the company owns
) STRICT, WITHOUT ROWID;

CREATE TABLE roomkit_teams (
  -- One row for every team of the directory.
  id         TEXT NOT NULL PRIMARY KEY, -- the company, a space, and the id as the host gave it
  version    INTEGER NOT NULL, -- number of events so far
  company    TEXT,             -- whose team it is
  name       TEXT,             -- as it was given
  leader     TEXT,             -- a user
  room       INTEGER NOT NULL, -- 1: a team room is allowed
  features   INTEGER NOT NULL, -- 1: the leader has the right over features
  photo      INTEGER NOT NULL, -- 1: the leader has the right over the photo
  preset     INTEGER NOT NULL, -- features of a new team room, bits as in roomkit_rooms.features
  notify     INTEGER NOT NULL, -- 1: a new team room has group notification
  synced_seq INTEGER NOT NULL  -- the host's sequence number of the last sync
) STRICT, WITHOUT ROWID;

CREATE INDEX roomkit_teams_company ON roomkit_teams (company, id);

CREATE TABLE roomkit_team_members (
  -- One row for every user in a team.
  team TEXT NOT NULL, -- roomkit_teams.id
  user TEXT NOT NULL, -- roomkit_users.id
  PRIMARY KEY (team, user)
) STRICT, WITHOUT ROWID;

CREATE TABLE roomkit_records (
  -- One row for every event, which is never changed. An event is of a room (then room
  -- is set) or of a user, company or team (then id is set).
  position INTEGER NOT NULL PRIMARY KEY, -- its place in the feed, without gaps
  subject  TEXT NOT NULL,                -- room, user, company, team
  room     BLOB,                         -- the room it is of
  id       TEXT,                         -- the user, company or team it is of
  version  INTEGER NOT NULL,             -- of the subject, with this event
  type     TEXT NOT NULL,                -- for instance member.joined
  at       INTEGER,                      -- when it happened
  command  BLOB NOT NULL,                -- what it came from: roomkit_commands.id
  data     BLOB                          -- the encoded event
) STRICT;

CREATE UNIQUE INDEX roomkit_records_room ON roomkit_records (room, version) WHERE room IS NOT NULL;
CREATE UNIQUE INDEX roomkit_records_id ON roomkit_records (id, subject, version) WHERE id IS NOT NULL;

CREATE TABLE roomkit_commands (
  -- One row for everything that was carried out, so that nothing is carried out twice.
  id       BLOB NOT NULL PRIMARY KEY, -- 16 bytes
  digest   BLOB NOT NULL,    -- of the payload
  room     BLOB,             -- the room concerned
  changed  INTEGER NOT NULL, -- 0: everything was already so
  position INTEGER,          -- of its last record
  records  INTEGER NOT NULL, -- how many records end at position
  events   TEXT              -- the events of the outcome where they are not just those records
) STRICT, WITHOUT ROWID;

CREATE TABLE roomkit_checkpoints (
  -- How far followers of the feed have come.
  name   TEXT NOT NULL PRIMARY KEY, -- of the follower
  cursor TEXT NOT NULL              -- behind what it has done
) STRICT, WITHOUT ROWID;

CREATE TABLE roomkit_bases (
  -- What the pruned events of a room, user, company or team have made, in parts. The
  -- row of the empty subject says where the feed begins.
  subject TEXT NOT NULL,    -- with its type, for instance user:kim
  part    INTEGER NOT NULL, -- from 1
  version INTEGER NOT NULL, -- of the subject, with the newest pruned event; of the feed: the last pruned position
  data    BLOB NOT NULL,    -- an encoded event; of the feed: the cursor behind the last pruned record
  PRIMARY KEY (subject, part)
) STRICT;
