-- Every table of roomkit begins with the prefix of the installation. Ids of
-- rooms and commands are UUIDs; all other ids are text and compare as bytes,
-- whatever the locale of the database. NULL stands for "none". Enumerations are
-- written by their names.
--
-- There are no foreign keys: each would lock a row of a user or company that
-- many commands share, and the versions that a commit compares say more.

CREATE TABLE roomkit_meta (
	only_row       boolean NOT NULL DEFAULT true PRIMARY KEY CHECK (only_row),
	schema_version integer NOT NULL,
	epoch          text NOT NULL COLLATE "C",
	lock_key       bigint NOT NULL
);
COMMENT ON TABLE roomkit_meta IS 'roomkit: one row about the schema';
COMMENT ON COLUMN roomkit_meta.only_row IS 'always true: there is one row';
COMMENT ON COLUMN roomkit_meta.schema_version IS 'the newest migration that was applied';
COMMENT ON COLUMN roomkit_meta.epoch IS 'random; begins every cursor of this schema';
COMMENT ON COLUMN roomkit_meta.lock_key IS 'advisory lock of the one commit that takes places in the feed; the next number is held by who wants to be notified, the one after it by who erases or prunes';

CREATE SEQUENCE roomkit_waiting MINVALUE -9223372036854775807 START -9223372036854775807;
COMMENT ON SEQUENCE roomkit_waiting IS 'roomkit: numbers of records that get their place when their transaction commits';

CREATE TABLE roomkit_rooms (
	id                uuid NOT NULL PRIMARY KEY,
	version           bigint NOT NULL,
	kind              text NOT NULL COLLATE "C",
	state             text NOT NULL COLLATE "C",
	company           text COLLATE "C",
	public            boolean NOT NULL,
	name_key          text COLLATE "C",
	digest            bytea NOT NULL,
	participants      bigint NOT NULL,
	masters           bigint NOT NULL,
	partners         bigint NOT NULL,
	consumers        bigint NOT NULL,
	bots              bigint NOT NULL,
	changed_at        timestamptz,
	name              text COLLATE "C",
	photo             text COLLATE "C",
	description       text COLLATE "C",
	origin            text NOT NULL COLLATE "C",
	team              text COLLATE "C",
	creator           text COLLATE "C",
	party_a           text COLLATE "C",
	party_b           text COLLATE "C",
	history_sharing   boolean NOT NULL,
	notify            boolean NOT NULL,
	features          smallint NOT NULL,
	features_withheld boolean NOT NULL,
	message_off_since timestamptz,
	had_consumers          boolean NOT NULL,
	emptied_at        bigint NOT NULL,
	emptied_on        timestamptz,
	created_at        timestamptz
);
CREATE UNIQUE INDEX roomkit_rooms_name ON roomkit_rooms (company, name_key)
	WHERE name_key IS NOT NULL AND state = 'active';
CREATE INDEX roomkit_rooms_company ON roomkit_rooms (company, id) WHERE state = 'active';
CREATE INDEX roomkit_rooms_public ON roomkit_rooms (company, id)
	WHERE state = 'active' AND public AND kind IN ('group', 'external_group');
CREATE INDEX roomkit_rooms_digest ON roomkit_rooms (digest, id) WHERE state = 'active';
COMMENT ON TABLE roomkit_rooms IS 'roomkit: message rooms; write to them through the library only';
COMMENT ON COLUMN roomkit_rooms.id IS 'derived from whom it is for (self, direct, team), else UUIDv7';
COMMENT ON COLUMN roomkit_rooms.version IS 'number of events so far';
COMMENT ON COLUMN roomkit_rooms.kind IS 'self, direct, general, group, external_group, team';
COMMENT ON COLUMN roomkit_rooms.state IS 'active, ended';
COMMENT ON COLUMN roomkit_rooms.company IS 'the owning company';
COMMENT ON COLUMN roomkit_rooms.public IS 'found by colleagues';
COMMENT ON COLUMN roomkit_rooms.name_key IS 'the folded name where it is unique among the active rooms of the company';
COMMENT ON COLUMN roomkit_rooms.digest IS 'of the set of participants; an index, not an identity';
COMMENT ON COLUMN roomkit_rooms.participants IS 'people and bots who take part';
COMMENT ON COLUMN roomkit_rooms.masters IS 'Group Masters, whether or not they take part';
COMMENT ON COLUMN roomkit_rooms.partners IS 'participants of other companies than the owning one';
COMMENT ON COLUMN roomkit_rooms.consumers IS 'participants who are consumers';
COMMENT ON COLUMN roomkit_rooms.bots IS 'participants that are bots';
COMMENT ON COLUMN roomkit_rooms.changed_at IS 'when the newest event happened';
COMMENT ON COLUMN roomkit_rooms.name IS 'none: show the names of the participants';
COMMENT ON COLUMN roomkit_rooms.photo IS 'the reference of the host to a picture';
COMMENT ON COLUMN roomkit_rooms.description IS 'as the Group Masters wrote it';
COMMENT ON COLUMN roomkit_rooms.origin IS 'picker, event, mail, room, contacts, invite, system';
COMMENT ON COLUMN roomkit_rooms.team IS 'of a team room';
COMMENT ON COLUMN roomkit_rooms.creator IS 'none: the system';
COMMENT ON COLUMN roomkit_rooms.party_a IS 'of a direct room in byte order; of a self room its owner';
COMMENT ON COLUMN roomkit_rooms.party_b IS 'the other one of a direct room';
COMMENT ON COLUMN roomkit_rooms.history_sharing IS 'newcomers may read from the beginning';
COMMENT ON COLUMN roomkit_rooms.notify IS 'group notification is on';
COMMENT ON COLUMN roomkit_rooms.features IS 'bits: note 1, event 2, task 4, folder 8, mailing list 16';
COMMENT ON COLUMN roomkit_rooms.features_withheld IS 'the administrator withholds the right of the Group Masters over features';
COMMENT ON COLUMN roomkit_rooms.message_off_since IS 'none while message is on';
COMMENT ON COLUMN roomkit_rooms.had_consumers IS 'consumers take part or have taken part';
COMMENT ON COLUMN roomkit_rooms.emptied_at IS 'what was written before this version is gone';
COMMENT ON COLUMN roomkit_rooms.emptied_on IS 'when that version was made';
COMMENT ON COLUMN roomkit_rooms.created_at IS 'when the first event happened';

CREATE TABLE roomkit_members (
	room                 uuid NOT NULL,
	"user"               text NOT NULL COLLATE "C",
	company              text COLLATE "C",
	kind                 text NOT NULL COLLATE "C",
	participant          boolean NOT NULL,
	master               boolean NOT NULL,
	period               bigint NOT NULL,
	joined               text NOT NULL COLLATE "C",
	joined_at            timestamptz,
	joined_version       bigint NOT NULL,
	read_all             boolean NOT NULL,
	epoch_user           bigint NOT NULL,
	epoch_company        bigint NOT NULL,
	master_epoch_user    bigint NOT NULL,
	master_epoch_company bigint NOT NULL,
	"left"               text NOT NULL COLLATE "C",
	left_at              timestamptz,
	left_version         bigint NOT NULL,
	left_by              text COLLATE "C",
	PRIMARY KEY (room, "user")
);
CREATE INDEX roomkit_members_masters ON roomkit_members (room, "user") WHERE master;
CREATE INDEX roomkit_members_user ON roomkit_members ("user", room) WHERE participant OR master;
CREATE INDEX roomkit_members_past ON roomkit_members ("user", room) WHERE NOT (participant OR master);
COMMENT ON TABLE roomkit_members IS 'roomkit: one row for every person who is or was in a room';
COMMENT ON COLUMN roomkit_members.room IS 'the room; see rooms.id';
COMMENT ON COLUMN roomkit_members."user" IS 'the person; see users.id';
COMMENT ON COLUMN roomkit_members.company IS 'of the person; none for consumers';
COMMENT ON COLUMN roomkit_members.kind IS 'member, consumer, bot';
COMMENT ON COLUMN roomkit_members.participant IS 'takes part now';
COMMENT ON COLUMN roomkit_members.master IS 'is a Group Master now, whether or not taking part';
COMMENT ON COLUMN roomkit_members.period IS 'how often the person joined';
COMMENT ON COLUMN roomkit_members.joined IS 'how the last period began';
COMMENT ON COLUMN roomkit_members.joined_at IS 'when it began';
COMMENT ON COLUMN roomkit_members.joined_version IS 'the version of the room with which it began';
COMMENT ON COLUMN roomkit_members.read_all IS 'may read from the beginning, else from joined_at';
COMMENT ON COLUMN roomkit_members.epoch_user IS 'the version of the user that the admission relied on';
COMMENT ON COLUMN roomkit_members.epoch_company IS 'the version of the company that the admission relied on';
COMMENT ON COLUMN roomkit_members.master_epoch_user IS 'the same for the appointment as Group Master';
COMMENT ON COLUMN roomkit_members.master_epoch_company IS 'the same for the appointment as Group Master';
COMMENT ON COLUMN roomkit_members."left" IS 'how the last period ended; "none" while it lasts';
COMMENT ON COLUMN roomkit_members.left_at IS 'when it ended';
COMMENT ON COLUMN roomkit_members.left_version IS 'the version of the room with which it ended';
COMMENT ON COLUMN roomkit_members.left_by IS 'the user who ended it, or *system';

CREATE TABLE roomkit_users (
	id            text NOT NULL COLLATE "C" PRIMARY KEY,
	version       bigint NOT NULL,
	company       text COLLATE "C",
	kind          text NOT NULL COLLATE "C",
	status        text NOT NULL COLLATE "C",
	administrator boolean NOT NULL,
	partners         boolean NOT NULL,
	consumers          boolean NOT NULL,
	partners_since   bigint NOT NULL,
	partners_lost    bigint NOT NULL,
	ended         bigint NOT NULL,
	groups        bigint NOT NULL DEFAULT 0
);
CREATE INDEX roomkit_users_company ON roomkit_users (company, id);
COMMENT ON TABLE roomkit_users IS 'roomkit: accounts as far as decisions depend on them';
COMMENT ON COLUMN roomkit_users.id IS 'as the host names the account';
COMMENT ON COLUMN roomkit_users.version IS 'number of events so far';
COMMENT ON COLUMN roomkit_users.company IS 'none for consumers';
COMMENT ON COLUMN roomkit_users.kind IS 'member, consumer, bot';
COMMENT ON COLUMN roomkit_users.status IS 'active, suspended, deleted';
COMMENT ON COLUMN roomkit_users.administrator IS 'administers the own company';
COMMENT ON COLUMN roomkit_users.partners IS 'own permission to talk with users of other companies';
COMMENT ON COLUMN roomkit_users.consumers IS 'own permission to talk with consumers';
COMMENT ON COLUMN roomkit_users.partners_since IS 'partners_narrowed of the company when partners was granted last';
COMMENT ON COLUMN roomkit_users.partners_lost IS 'the own version when partners was withdrawn last';
COMMENT ON COLUMN roomkit_users.ended IS 'the own version when the account was deleted last';
COMMENT ON COLUMN roomkit_users.groups IS 'in how many groups the user takes part';

CREATE TABLE roomkit_companies (
	id                    text NOT NULL COLLATE "C" PRIMARY KEY,
	version               bigint NOT NULL,
	licensed                  boolean NOT NULL,
	members_create_groups boolean NOT NULL,
	partners                 text NOT NULL COLLATE "C",
	consumers                  text NOT NULL COLLATE "C",
	max_groups            bigint NOT NULL,
	recall_window         bigint NOT NULL,
	partners_off             bigint NOT NULL,
	partners_narrowed        bigint NOT NULL,
	groups                bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE roomkit_companies IS 'roomkit: tenants as far as decisions depend on them';
COMMENT ON COLUMN roomkit_companies.id IS 'as the host names the tenant';
COMMENT ON COLUMN roomkit_companies.version IS 'number of events so far';
COMMENT ON COLUMN roomkit_companies.licensed IS 'has a licence, without which there are no rooms';
COMMENT ON COLUMN roomkit_companies.members_create_groups IS 'members, not only administrators, may create groups';
COMMENT ON COLUMN roomkit_companies.partners IS 'who may talk with users of other companies: off, selected, all';
COMMENT ON COLUMN roomkit_companies.consumers IS 'who may talk with consumers: off, selected, all';
COMMENT ON COLUMN roomkit_companies.max_groups IS 'how many groups the company may own; 0: 100,000';
COMMENT ON COLUMN roomkit_companies.recall_window IS 'nanoseconds';
COMMENT ON COLUMN roomkit_companies.partners_off IS 'the version with which partners became off last';
COMMENT ON COLUMN roomkit_companies.partners_narrowed IS 'the version with which partners went from all to selected last';
COMMENT ON COLUMN roomkit_companies.groups IS 'how many groups the company owns';

CREATE TABLE roomkit_teams (
	id         text NOT NULL COLLATE "C" PRIMARY KEY,
	version    bigint NOT NULL,
	company    text COLLATE "C",
	name       text COLLATE "C",
	leader     text COLLATE "C",
	room       boolean NOT NULL,
	features   boolean NOT NULL,
	photo      boolean NOT NULL,
	preset     smallint NOT NULL,
	notify     boolean NOT NULL,
	synced_seq bigint NOT NULL
);
CREATE INDEX roomkit_teams_company ON roomkit_teams (company, id);
COMMENT ON TABLE roomkit_teams IS 'roomkit: units of the organisation chart as far as their rooms depend on them';
COMMENT ON COLUMN roomkit_teams.id IS 'the company, a space, and the team as the host names it';
COMMENT ON COLUMN roomkit_teams.version IS 'number of events so far';
COMMENT ON COLUMN roomkit_teams.company IS 'whose team it is';
COMMENT ON COLUMN roomkit_teams.name IS 'also that of the team room';
COMMENT ON COLUMN roomkit_teams.leader IS 'none: nobody leads it';
COMMENT ON COLUMN roomkit_teams.room IS 'a team room is allowed';
COMMENT ON COLUMN roomkit_teams.features IS 'the leader has the right over features';
COMMENT ON COLUMN roomkit_teams.photo IS 'the leader has the right over the photo';
COMMENT ON COLUMN roomkit_teams.preset IS 'bits, as rooms.features, of a new team room';
COMMENT ON COLUMN roomkit_teams.notify IS 'group notification of a new team room';
COMMENT ON COLUMN roomkit_teams.synced_seq IS 'the sequence number of the host at the last sync';

CREATE TABLE roomkit_team_members (
	team   text NOT NULL COLLATE "C",
	"user" text NOT NULL COLLATE "C",
	PRIMARY KEY (team, "user")
);
COMMENT ON TABLE roomkit_team_members IS 'roomkit: members of teams as the host has given them';
COMMENT ON COLUMN roomkit_team_members.team IS 'the team; see teams.id';
COMMENT ON COLUMN roomkit_team_members."user" IS 'the person; see users.id';

CREATE TABLE roomkit_records (
	position bigint NOT NULL PRIMARY KEY,
	subject  text NOT NULL COLLATE "C",
	room     uuid,
	id       text COLLATE "C",
	version  bigint NOT NULL,
	type     text NOT NULL COLLATE "C",
	at       timestamptz,
	command  uuid NOT NULL,
	data     bytea NOT NULL
);
CREATE UNIQUE INDEX roomkit_records_room ON roomkit_records (room, version) WHERE room IS NOT NULL;
CREATE UNIQUE INDEX roomkit_records_id ON roomkit_records (id, subject, version) WHERE id IS NOT NULL;
CREATE INDEX roomkit_records_command ON roomkit_records (command);
COMMENT ON TABLE roomkit_records IS 'roomkit: the events';
COMMENT ON COLUMN roomkit_records.position IS 'place in the feed, one behind the other; negative only inside the transaction of a host';
COMMENT ON COLUMN roomkit_records.subject IS 'room, user, company, team';
COMMENT ON COLUMN roomkit_records.room IS 'whose event it is, if of a room';
COMMENT ON COLUMN roomkit_records.id IS 'whose event it is, if of a user, company or team';
COMMENT ON COLUMN roomkit_records.version IS 'of the subject, with this event';
COMMENT ON COLUMN roomkit_records.type IS 'for instance member.joined';
COMMENT ON COLUMN roomkit_records.at IS 'when it happened';
COMMENT ON COLUMN roomkit_records.command IS 'the command that made it; see commands.id';
COMMENT ON COLUMN roomkit_records.data IS 'the encoded event';

CREATE TABLE roomkit_commands (
	id      uuid NOT NULL PRIMARY KEY,
	digest  bytea NOT NULL,
	room    uuid,
	changed boolean NOT NULL,
	events  text COLLATE "C"
);
COMMENT ON TABLE roomkit_commands IS 'roomkit: what was carried out, so that nothing is carried out twice';
COMMENT ON COLUMN roomkit_commands.id IS 'derived from the idempotency key, else random';
COMMENT ON COLUMN roomkit_commands.digest IS 'of the payload';
COMMENT ON COLUMN roomkit_commands.room IS 'the room concerned';
COMMENT ON COLUMN roomkit_commands.changed IS 'false: everything was already so';
COMMENT ON COLUMN roomkit_commands.events IS 'the events of the outcome where they are not just the records of the command';

CREATE TABLE roomkit_checkpoints (
	name   text NOT NULL COLLATE "C" PRIMARY KEY,
	cursor text NOT NULL COLLATE "C"
);
COMMENT ON TABLE roomkit_checkpoints IS 'roomkit: how far followers of the feed have come';
COMMENT ON COLUMN roomkit_checkpoints.name IS 'of the follower';
COMMENT ON COLUMN roomkit_checkpoints.cursor IS 'the place in the feed behind what it has handled, and who is at work';

CREATE TABLE roomkit_bases (
	subject text NOT NULL COLLATE "C",
	part    bigint NOT NULL,
	version bigint NOT NULL,
	data    bytea NOT NULL,
	PRIMARY KEY (subject, part)
);
COMMENT ON TABLE roomkit_bases IS 'roomkit: what the pruned events of a room, user, company or team have made, in parts; the empty subject says where the feed begins';
COMMENT ON COLUMN roomkit_bases.subject IS 'with its type, for instance user:kim';
COMMENT ON COLUMN roomkit_bases.part IS 'from 1';
COMMENT ON COLUMN roomkit_bases.version IS 'of the subject, with the newest pruned event; of the feed: the last pruned position';
COMMENT ON COLUMN roomkit_bases.data IS 'an encoded event; of the feed: the cursor behind the last pruned record';

-- What a commit inside a host's transaction relied on, and what it adds to the
-- counts of groups. The rows live as long as that transaction: when it commits,
-- the trigger compares them, adds to the counts and gives the transaction's
-- records their places. So nobody waits for a transaction of a host, and its
-- records come into the feed when they become visible. A transaction finds its
-- own rows by its number, past those that others have left behind.
CREATE TABLE roomkit_pending (
	xid     xid8 NOT NULL DEFAULT pg_current_xact_id(),
	number  bigint GENERATED ALWAYS AS IDENTITY,
	command uuid,
	subject text COLLATE "C",
	room    uuid,
	id      text COLLATE "C",
	version bigint,
	least   bigint,
	most    bigint,
	delta   bigint,
	PRIMARY KEY (xid, number)
);
COMMENT ON SEQUENCE roomkit_pending_number_seq IS 'roomkit: numbers of pending rows';
COMMENT ON TABLE roomkit_pending IS 'roomkit: commands to settle, versions and counts to compare when the transaction of a host commits; always empty to others';
COMMENT ON COLUMN roomkit_pending.xid IS 'the transaction that settles the row';
COMMENT ON COLUMN roomkit_pending.number IS 'the order';
COMMENT ON COLUMN roomkit_pending.command IS 'to settle; all zeros: there are versions to compare, and nothing else';
COMMENT ON COLUMN roomkit_pending.subject IS 'room, user, company, team';
COMMENT ON COLUMN roomkit_pending.room IS 'what is compared, if a room';
COMMENT ON COLUMN roomkit_pending.id IS 'what is compared, if a user, company or team';
COMMENT ON COLUMN roomkit_pending.version IS 'what a command, or what the host writes, relied on without writing it';
COMMENT ON COLUMN roomkit_pending.least IS 'how few groups there may be, without the deltas, so that the delta can be added';
COMMENT ON COLUMN roomkit_pending.most IS 'how many';
COMMENT ON COLUMN roomkit_pending.delta IS 'what is added to the number of groups';

-- It works in the schema in which its table is at that moment, whatever that is called.
-- The plans of its statements must not depend on how large the tables were when
-- a connection made them.
CREATE FUNCTION roomkit_settle() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
	own constant xid8 := pg_current_xact_id();
	changes boolean;
	meta record;
BEGIN
	PERFORM set_config('search_path', format('%I, pg_temp', tg_table_schema), true);
	IF NOT EXISTS (SELECT FROM roomkit_pending p WHERE p.xid = own) THEN
		RETURN NULL; -- the first row has done it for all
	END IF;
	SELECT * INTO STRICT meta FROM roomkit_meta m WHERE m.only_row;
	-- Whoever holds these rows may need the lock to end, so they come before it. A
	-- transaction that ends a group holds users for long, so they come before companies.
	PERFORM FROM roomkit_users u WHERE u.id = ANY(ARRAY(
			SELECT p.id FROM roomkit_pending p WHERE p.xid = own AND p.delta IS NOT NULL AND p.subject = 'user'))
		ORDER BY u.id FOR NO KEY UPDATE;
	PERFORM FROM roomkit_companies c WHERE c.id = ANY(ARRAY(
			SELECT p.id FROM roomkit_pending p WHERE p.xid = own AND p.delta IS NOT NULL AND p.subject = 'company'))
		ORDER BY c.id FOR NO KEY UPDATE;
	-- Those that change nothing here need not wait for each other.
	changes := EXISTS (SELECT FROM roomkit_pending p WHERE p.xid = own AND p.command <> '00000000-0000-0000-0000-000000000000');
	IF changes THEN
		PERFORM pg_advisory_xact_lock(meta.lock_key);
	ELSE
		PERFORM pg_advisory_xact_lock_shared(meta.lock_key);
	END IF;
	IF EXISTS (
		SELECT FROM roomkit_pending p WHERE p.xid = own AND (p.version <> coalesce(CASE p.subject
			WHEN 'room' THEN (SELECT r.version FROM roomkit_rooms r WHERE r.id = p.room)
			WHEN 'user' THEN (SELECT u.version FROM roomkit_users u WHERE u.id = p.id)
			WHEN 'company' THEN (SELECT c.version FROM roomkit_companies c WHERE c.id = p.id)
			WHEN 'team' THEN (SELECT t.version FROM roomkit_teams t WHERE t.id = p.id)
		END, 0)
		OR coalesce(CASE p.subject
			WHEN 'user' THEN (SELECT u.groups FROM roomkit_users u WHERE u.id = p.id)
			WHEN 'company' THEN (SELECT c.groups FROM roomkit_companies c WHERE c.id = p.id)
		END, 0) NOT BETWEEN p.least AND p.most)
	) THEN
		RAISE EXCEPTION 'roomkit: something that this transaction relied on has changed'
			USING ERRCODE = 'serialization_failure', HINT = 'Run the whole transaction again.';
	END IF;
	IF NOT changes THEN
		DELETE FROM roomkit_pending p WHERE p.xid = own;
		RETURN NULL;
	END IF;
	UPDATE roomkit_companies c SET groups = c.groups + more.n
	FROM (SELECT p.id, sum(p.delta)::bigint AS n FROM roomkit_pending p WHERE p.xid = own AND p.subject = 'company' GROUP BY p.id) more
	WHERE c.id = more.id AND more.n <> 0;
	UPDATE roomkit_users u SET groups = u.groups + more.n
	FROM (SELECT p.id, sum(p.delta)::bigint AS n FROM roomkit_pending p WHERE p.xid = own AND p.subject = 'user' GROUP BY p.id) more
	WHERE u.id = more.id AND more.n <> 0;
	UPDATE roomkit_records r SET position = placed.position
	FROM (
		SELECT w.number, newest.place + row_number() OVER (ORDER BY w.number) AS position
		FROM (
			SELECT e.position AS number FROM roomkit_pending p JOIN roomkit_records e ON e.command = p.command
			WHERE p.xid = own AND e.position < 0
		) w, (SELECT coalesce(max(e.position), 0) AS place FROM roomkit_records e WHERE e.position > 0) newest
	) placed
	WHERE r.position = placed.number;
	PERFORM pg_notify('roomkit_' || meta.epoch, '') WHERE NOT pg_try_advisory_xact_lock(meta.lock_key + 1);
	DELETE FROM roomkit_pending p WHERE p.xid = own;
	RETURN NULL;
END $$;
COMMENT ON FUNCTION roomkit_settle() IS 'roomkit: ends the commits inside the transaction of a host';

CREATE CONSTRAINT TRIGGER roomkit_settle AFTER INSERT ON roomkit_pending
	DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.command IS NOT NULL) EXECUTE FUNCTION roomkit_settle();
ALTER TABLE roomkit_pending ENABLE ALWAYS TRIGGER roomkit_settle;
COMMENT ON TRIGGER roomkit_settle ON roomkit_pending IS 'roomkit: when the transaction of a host commits, it settles the commits inside';
