-- Commits draw their places in the feed from a sequence, so that none waits for another one's
-- flush, and lock what they write and rely on instead of all else. Every commit in the old way
-- writes to one of two tables before it takes places: those under way are waited for, and those that
-- come later do not find their lock_key any more, and are refused.
LOCK TABLE roomkit_pending IN SHARE ROW EXCLUSIVE MODE;
LOCK TABLE roomkit_commands IN SHARE ROW EXCLUSIVE MODE;
UPDATE roomkit_meta SET lock_key = lock_key # 4611686018427387904;
COMMENT ON COLUMN roomkit_meta.lock_key IS 'advisory lock that every commit holds shared, and part of the keys of those of what it writes and relies on; the next number is held by who wants to be notified';

CREATE SEQUENCE roomkit_places;
COMMENT ON SEQUENCE roomkit_places IS 'roomkit: places in the feed; never behind the records';
SELECT setval('roomkit_places', newest.place) FROM (
	SELECT greatest((SELECT max(e.position) FROM roomkit_records e WHERE e.position > 0),
		(SELECT max(b.version) FROM roomkit_bases b WHERE b.subject = '')) AS place
) newest WHERE newest.place > 0;
COMMENT ON COLUMN roomkit_records.position IS 'place in the feed, with gaps where a transaction was undone; negative only inside the transaction of a host';

CREATE OR REPLACE FUNCTION roomkit_settle() RETURNS trigger LANGUAGE plpgsql
	SET search_path = pg_catalog SET plan_cache_mode = force_generic_plan
	SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
	own constant xid8 := pg_current_xact_id();
	changes boolean;
	meta record;
	newest bigint;
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
	-- What is written and what was relied on. Whoever relies and whoever writes have a lock in
	-- common: that of the subject, or one of two of all subjects of its type for those with more
	-- than 200. All are taken in one order, and everybody takes the first one shared.
	PERFORM pg_advisory_xact_lock_shared(meta.lock_key);
	PERFORM CASE WHEN k.alone THEN pg_advisory_xact_lock(k.key) ELSE pg_advisory_xact_lock_shared(k.key) END
	FROM (
		WITH subjects AS MATERIALIZED (
			SELECT DISTINCT true AS writes, e.subject, e.subject || ':' || coalesce(e.room::text, e.id) AS name
			FROM roomkit_pending p JOIN roomkit_records e ON e.command = p.command WHERE p.xid = own AND e.position < 0
			UNION ALL SELECT DISTINCT false, p.subject, p.subject || ':' || coalesce(p.room::text, p.id)
			FROM roomkit_pending p WHERE p.xid = own AND p.version IS NOT NULL
		), counted AS MATERIALIZED (
			SELECT s.writes, s.subject, s.name, count(*) OVER (PARTITION BY s.writes, s.subject) > 200 AS many FROM subjects s
		)
		SELECT ('x' || encode(substr(sha256(convert_to(meta.lock_key || ' ' || n.name, 'UTF8')), 1, 8), 'hex'))::bit(64)::bigint AS key, bool_or(n.alone) AS alone FROM (
			SELECT c.name, c.writes AS alone FROM counted c WHERE NOT c.many
			UNION ALL SELECT 'any ' || c.subject, c.many FROM counted c WHERE c.writes = c.many
			UNION ALL SELECT 'all ' || c.subject, NOT c.writes FROM counted c WHERE c.writes OR c.many
		) n GROUP BY 1 ORDER BY 1
	) k;
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
	changes := EXISTS (SELECT FROM roomkit_pending p WHERE p.xid = own AND p.command <> '00000000-0000-0000-0000-000000000000');
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
	-- From now on this transaction draws places, all of them behind the newest of this moment.
	-- Whoever reads the feed sees the lock and waits with what comes behind that.
	PERFORM pg_advisory_xact_lock_shared(((meta.lock_key & 8388607) * 256 + ((n.place >> 32) & 255))::integer,
		(((n.place & 4294967295) # 2147483648) - 2147483648)::integer)
	FROM (SELECT coalesce(pg_sequence_last_value('roomkit_places'::regclass), 0) AS place) n;
	newest := coalesce((SELECT max(e.position) FROM roomkit_records e WHERE e.position > 0), 0);
	WITH placed AS MATERIALIZED (
		SELECT w.number, CASE WHEN nextval('roomkit_places') > newest THEN currval('roomkit_places')
			ELSE concat('roomkit: the sequence of places is behind the records')::bigint END AS position
		FROM (
			SELECT e.position AS number FROM roomkit_pending p JOIN roomkit_records e ON e.command = p.command
			WHERE p.xid = own AND e.position < 0 ORDER BY e.position
		) w
	)
	UPDATE roomkit_records r SET position = placed.position FROM placed WHERE r.position = placed.number;
	-- Not a lock to the end of the transaction, or all others would think that somebody listens;
	-- and in one expression, since between two a cancelled statement would leave the lock behind.
	PERFORM CASE WHEN pg_try_advisory_lock(meta.lock_key + 1) THEN pg_advisory_unlock(meta.lock_key + 1)::text
		ELSE pg_notify('roomkit_' || meta.epoch, '')::text END;
	DELETE FROM roomkit_pending p WHERE p.xid = own;
	RETURN NULL;
END $$;
