-- Frozen by `python -m onhand.doors.docs --freeze-foundation`. Statements end with the line `-- end of statement`;
-- those that begin with `-- for the application role` run where that role exists.
CREATE TABLE api_key (
	id UUID NOT NULL, 
	public_id TEXT NOT NULL, 
	secret_hash BYTEA NOT NULL, 
	name TEXT NOT NULL, 
	scopes TEXT[] NOT NULL, 
	location_ids UUID[], 
	adjust_units NUMERIC, 
	adjust_value NUMERIC(20, 6), 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	last_used_at TIMESTAMP WITH TIME ZONE, 
	revoked_at TIMESTAMP WITH TIME ZONE, 
	created_by UUID NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT api_key_pkey PRIMARY KEY (id), 
	CONSTRAINT api_key_public_id_key UNIQUE (public_id)
)
-- end of statement
CREATE TABLE app_user (
	id UUID NOT NULL, 
	email TEXT NOT NULL, 
	name TEXT NOT NULL, 
	locale TEXT, 
	active BOOLEAN DEFAULT 'true' NOT NULL, 
	password_hash TEXT, 
	totp_secret BYTEA, 
	totp_confirmed_at TIMESTAMP WITH TIME ZONE, 
	totp_last_step BIGINT, 
	rights_version INTEGER DEFAULT '1' NOT NULL, 
	last_seen_at TIMESTAMP WITH TIME ZONE, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT app_user_pkey PRIMARY KEY (id), 
	CONSTRAINT app_user_email_key UNIQUE (email), 
	CONSTRAINT app_user_email_lower_check CHECK (email = lower(email))
)
-- end of statement
CREATE TABLE approval (
	id UUID NOT NULL, 
	verb TEXT NOT NULL, 
	site UUID, 
	body JSONB NOT NULL, 
	asked_by UUID NOT NULL, 
	asked_by_name TEXT NOT NULL, 
	asked_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	why TEXT NOT NULL, 
	state TEXT DEFAULT 'waiting' NOT NULL, 
	decided_by UUID, 
	decided_at TIMESTAMP WITH TIME ZONE, 
	decision_note TEXT, 
	CONSTRAINT approval_pkey PRIMARY KEY (id), 
	CONSTRAINT approval_state_check CHECK (state IN ('waiting', 'approved', 'rejected'))
)
-- end of statement
CREATE INDEX approval_asked_at_id_idx ON approval (asked_at, id)
-- end of statement
CREATE TABLE audit (
	id UUID NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	actor_id UUID NOT NULL, 
	actor_kind TEXT NOT NULL, 
	actor_name TEXT NOT NULL, 
	action TEXT NOT NULL, 
	entity TEXT NOT NULL, 
	entity_id TEXT NOT NULL, 
	request TEXT DEFAULT '' NOT NULL, 
	request_id TEXT DEFAULT '' NOT NULL, 
	ip TEXT DEFAULT '' NOT NULL, 
	changes JSONB NOT NULL, 
	touched TEXT[], 
	CONSTRAINT audit_pkey PRIMARY KEY (id)
)
-- end of statement
CREATE INDEX audit_entity_entity_id_id_idx ON audit (entity, entity_id, id)
-- end of statement
CREATE INDEX audit_touched_idx ON audit USING gin (touched) WHERE touched IS NOT NULL
-- end of statement
CREATE TABLE category (
	id UUID NOT NULL, 
	name TEXT NOT NULL, 
	parent_id UUID, 
	path TEXT COLLATE "C" NOT NULL, 
	ancestors UUID[] NOT NULL, 
	external_id TEXT, 
	metadata JSONB DEFAULT '{}' NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT category_pkey PRIMARY KEY (id), 
	CONSTRAINT category_parent_id_fkey FOREIGN KEY(parent_id) REFERENCES category (id), 
	CONSTRAINT category_path_key UNIQUE (path), 
	CONSTRAINT category_external_id_key UNIQUE (external_id)
)
-- end of statement
CREATE INDEX category_ancestors_idx ON category USING gin (ancestors)
-- end of statement
CREATE INDEX category_parent_id_idx ON category (parent_id)
-- end of statement
CREATE TABLE channel (
	id UUID NOT NULL, 
	code TEXT COLLATE "C" NOT NULL, 
	name TEXT NOT NULL, 
	buffer BIGINT DEFAULT '0' NOT NULL, 
	external_id TEXT, 
	metadata JSONB DEFAULT '{}' NOT NULL, 
	archived_at TIMESTAMP WITH TIME ZONE, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT channel_pkey PRIMARY KEY (id), 
	CONSTRAINT channel_buffer_check CHECK (buffer >= 0), 
	CONSTRAINT channel_code_key UNIQUE (code), 
	CONSTRAINT channel_external_id_key UNIQUE (external_id)
)
-- end of statement
CREATE TABLE claim (
	seq BIGINT NOT NULL, 
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	reservation UUID NOT NULL, 
	variant UUID NOT NULL, 
	site UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	line INTEGER NOT NULL, 
	CONSTRAINT claim_pkey PRIMARY KEY (seq, line, recorded_at), 
	CONSTRAINT claim_quantity_check CHECK (quantity <> 0)
)
 PARTITION BY RANGE (recorded_at)
-- end of statement
CREATE INDEX claim_reservation_idx ON claim (reservation)
-- end of statement
CREATE INDEX claim_site_idx ON claim (variant, site)
-- end of statement
CREATE TABLE count_cover (
	entry UUID NOT NULL, 
	location UUID NOT NULL, 
	site UUID NOT NULL, 
	happened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	known BIGINT NOT NULL, 
	known_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	posting UUID, 
	CONSTRAINT count_cover_pkey PRIMARY KEY (entry)
)
-- end of statement
CREATE INDEX count_cover_location_happened_at_idx ON count_cover (location, happened_at)
-- end of statement
CREATE TABLE count_cursor (
	one SMALLINT DEFAULT '1' NOT NULL, 
	seq BIGINT NOT NULL, 
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT count_cursor_pkey PRIMARY KEY (one), 
	CONSTRAINT count_cursor_single_check CHECK (one = 1)
)
-- end of statement
CREATE TABLE count_policy (
	one SMALLINT DEFAULT '1' NOT NULL, 
	share_a NUMERIC(5, 2) NOT NULL, 
	share_b NUMERIC(5, 2) NOT NULL, 
	days_a INTEGER NOT NULL, 
	days_b INTEGER NOT NULL, 
	days_c INTEGER NOT NULL, 
	tolerance_units NUMERIC(20, 6), 
	tolerance_percent NUMERIC(7, 3), 
	tolerance_value NUMERIC(20, 6), 
	recount_by TEXT NOT NULL, 
	rounds SMALLINT NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	CONSTRAINT count_policy_pkey PRIMARY KEY (one), 
	CONSTRAINT count_policy_single_check CHECK (one = 1), 
	CONSTRAINT count_policy_days_check CHECK (days_a > 0 AND days_b > 0 AND days_c > 0), 
	CONSTRAINT count_policy_recount_by_check CHECK (recount_by IN ('other', 'anyone'))
)
-- end of statement
CREATE TABLE counted_level (
	id UUID NOT NULL, 
	entry UUID, 
	site UUID NOT NULL, 
	variant UUID NOT NULL, 
	location UUID NOT NULL, 
	lot UUID NOT NULL, 
	condition SMALLINT NOT NULL, 
	happened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	quantity BIGINT NOT NULL, 
	variance BIGINT NOT NULL, 
	corrected BIGINT DEFAULT '0' NOT NULL, 
	known BIGINT NOT NULL, 
	known_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	posting UUID, 
	unit_cost NUMERIC(20, 6), 
	currency TEXT, 
	CONSTRAINT counted_level_pkey PRIMARY KEY (id), 
	CONSTRAINT counted_level_quantity_check CHECK (quantity >= 0)
)
-- end of statement
CREATE INDEX counted_level_entry_idx ON counted_level (entry) WHERE entry IS NOT NULL
-- end of statement
CREATE INDEX counted_level_key_idx ON counted_level (variant, location, lot, condition, happened_at)
-- end of statement
CREATE TABLE customer (
	id UUID NOT NULL, 
	code TEXT COLLATE "C" NOT NULL, 
	name TEXT NOT NULL, 
	email TEXT, 
	phone TEXT, 
	address JSONB, 
	minimum_life_days INTEGER, 
	external_id TEXT, 
	metadata JSONB DEFAULT '{}' NOT NULL, 
	archived_at TIMESTAMP WITH TIME ZONE, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT customer_pkey PRIMARY KEY (id), 
	CONSTRAINT customer_minimum_life_days_check CHECK (minimum_life_days >= 0), 
	CONSTRAINT customer_code_key UNIQUE (code), 
	CONSTRAINT customer_external_id_key UNIQUE (external_id)
)
-- end of statement
CREATE INDEX customer_updated_at_id_idx ON customer (updated_at, id)
-- end of statement
CREATE TABLE demo_state (
	one SMALLINT DEFAULT '1' NOT NULL, 
	anchor DATE NOT NULL, 
	stores INTEGER NOT NULL, 
	first_day INTEGER NOT NULL, 
	live_day INTEGER NOT NULL, 
	loaded BOOLEAN DEFAULT 'false' NOT NULL, 
	complete BOOLEAN DEFAULT 'false' NOT NULL, 
	posted_day INTEGER NOT NULL, 
	posted_second INTEGER DEFAULT '0' NOT NULL, 
	CONSTRAINT demo_state_pkey PRIMARY KEY (one), 
	CONSTRAINT demo_state_single_check CHECK (one = 1)
)
-- end of statement
CREATE TABLE exception (
	id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	site UUID, 
	variant UUID, 
	quantity BIGINT, 
	posting_id UUID, 
	source_type TEXT NOT NULL, 
	source_id UUID NOT NULL, 
	actor UUID NOT NULL, 
	detail JSONB DEFAULT '{}' NOT NULL, 
	opened_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	state TEXT DEFAULT 'open' NOT NULL, 
	resolved_at TIMESTAMP WITH TIME ZONE, 
	resolved_by UUID, 
	resolution TEXT, 
	CONSTRAINT exception_pkey PRIMARY KEY (id), 
	CONSTRAINT exception_state_check CHECK (state IN ('open', 'resolved'))
)
-- end of statement
CREATE INDEX exception_open_idx ON exception (opened_at, id) WHERE state = 'open'
-- end of statement
CREATE INDEX exception_opened_at_id_idx ON exception (opened_at, id)
-- end of statement
CREATE INDEX exception_variant_site_idx ON exception (variant, site)
-- end of statement
CREATE TABLE file (
	id UUID NOT NULL, 
	name TEXT NOT NULL, 
	media_type TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	sha256 BYTEA NOT NULL, 
	created_by UUID NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT file_pkey PRIMARY KEY (id)
)
-- end of statement
CREATE TABLE idempotency (
	caller UUID NOT NULL, 
	route TEXT NOT NULL, 
	key TEXT NOT NULL, 
	digest BYTEA NOT NULL, 
	status SMALLINT, 
	body BYTEA, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT idempotency_pkey PRIMARY KEY (caller, route, key)
)
-- end of statement
CREATE TABLE import_mapping (
	id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	mapping JSONB NOT NULL, 
	decimal_mark TEXT, 
	created_by UUID NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT import_mapping_pkey PRIMARY KEY (id), 
	CONSTRAINT import_mapping_kind_name_key UNIQUE (kind, name)
)
-- end of statement
CREATE TABLE job (
	id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	title TEXT NOT NULL, 
	state TEXT DEFAULT 'queued' NOT NULL, 
	arguments JSONB DEFAULT '{}' NOT NULL, 
	done BIGINT DEFAULT '0' NOT NULL, 
	total BIGINT, 
	unit TEXT, 
	attempts INTEGER DEFAULT '0' NOT NULL, 
	cancel_asked BOOLEAN DEFAULT 'false' NOT NULL, 
	error TEXT, 
	result JSONB, 
	created_by UUID NOT NULL, 
	created_by_name TEXT DEFAULT '' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	started_at TIMESTAMP WITH TIME ZONE, 
	finished_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT job_pkey PRIMARY KEY (id), 
	CONSTRAINT job_state_check CHECK (state IN ('queued','running','done','failed','cancelled'))
)
-- end of statement
CREATE INDEX job_created_at_id_idx ON job (created_at, id)
-- end of statement
CREATE TABLE location (
	id UUID NOT NULL, 
	code TEXT NOT NULL, 
	name TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	role TEXT, 
	parent_id UUID, 
	site_id UUID, 
	path TEXT COLLATE "C" NOT NULL, 
	sells BOOLEAN NOT NULL, 
	keeps_level BOOLEAN NOT NULL, 
	time_zone TEXT, 
	day_start TIME WITHOUT TIME ZONE, 
	closed_at TIMESTAMP WITH TIME ZONE, 
	latitude NUMERIC(9, 6), 
	longitude NUMERIC(9, 6), 
	external_id TEXT, 
	metadata JSONB DEFAULT '{}' NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT location_pkey PRIMARY KEY (id), 
	CONSTRAINT location_kind_check CHECK (kind IN ('warehouse','store','zone','aisle','rack','bin','pallet','tote','cart','supplier','customer','transit','adjustment','scrap','production','lot_assignment')), 
	CONSTRAINT location_site_check CHECK ((site_id IS NULL) = (kind IN ('supplier','customer','transit','adjustment','scrap','production','lot_assignment'))), 
	CONSTRAINT location_virtual_sells_check CHECK (site_id IS NOT NULL OR NOT sells), 
	CONSTRAINT location_parent_id_fkey FOREIGN KEY(parent_id) REFERENCES location (id), 
	CONSTRAINT location_site_id_fkey FOREIGN KEY(site_id) REFERENCES location (id), 
	CONSTRAINT location_path_key UNIQUE (path), 
	CONSTRAINT location_external_id_key UNIQUE (external_id)
)
-- end of statement
CREATE INDEX location_code_idx ON location (code)
-- end of statement
CREATE INDEX location_parent_id_idx ON location (parent_id)
-- end of statement
CREATE INDEX location_site_id_idx ON location (site_id)
-- end of statement
CREATE INDEX location_updated_at_id_idx ON location (updated_at, id)
-- end of statement
CREATE TABLE lot_policy (
	subject_id UUID NOT NULL, 
	subject TEXT NOT NULL, 
	needs_certificate BOOLEAN DEFAULT false NOT NULL, 
	strategy TEXT DEFAULT 'fefo' NOT NULL, 
	near_expiry_days INTEGER DEFAULT '30' NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT lot_policy_pkey PRIMARY KEY (subject_id), 
	CONSTRAINT lot_policy_subject_check CHECK (subject IN ('product','variant')), 
	CONSTRAINT lot_policy_strategy_check CHECK (strategy IN ('fefo','fifo','lifo','nearest','fewest_picks')), 
	CONSTRAINT lot_policy_near_expiry_days_check CHECK (near_expiry_days >= 0)
)
-- end of statement
CREATE TABLE move (
	seq BIGINT NOT NULL, 
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	happened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	variant UUID NOT NULL, 
	lot UUID NOT NULL, 
	from_location UUID NOT NULL, 
	to_location UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	line INTEGER NOT NULL, 
	from_condition SMALLINT NOT NULL, 
	to_condition SMALLINT NOT NULL, 
	from_kept BOOLEAN NOT NULL, 
	to_kept BOOLEAN NOT NULL, 
	unit_cost NUMERIC(20, 6), 
	currency TEXT, 
	CONSTRAINT move_pkey PRIMARY KEY (seq, line, recorded_at), 
	CONSTRAINT move_quantity_check CHECK (quantity > 0)
)
 PARTITION BY RANGE (recorded_at)
-- end of statement
CREATE INDEX move_from_idx ON move (variant, from_location, happened_at) WHERE from_kept
-- end of statement
CREATE INDEX move_lot_idx ON move (lot, seq, line) WHERE lot <> '00000000-0000-0000-0000-000000000000'
-- end of statement
CREATE INDEX move_to_idx ON move (variant, to_location, happened_at) WHERE to_kept
-- end of statement
CREATE TABLE organisation (
	one SMALLINT DEFAULT '1' NOT NULL, 
	id UUID NOT NULL, 
	name TEXT NOT NULL, 
	currency TEXT NOT NULL, 
	locale TEXT NOT NULL, 
	time_zone TEXT NOT NULL, 
	setup_done BOOLEAN DEFAULT 'false' NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT organisation_pkey PRIMARY KEY (one), 
	CONSTRAINT organisation_single_check CHECK (one = 1), 
	CONSTRAINT organisation_currency_check CHECK (currency ~ '^[A-Z]{3}$')
)
-- end of statement
CREATE TABLE outbox (
	event_n BIGINT NOT NULL, 
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	happened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	id UUID NOT NULL, 
	site UUID, 
	type TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	partition_key TEXT NOT NULL, 
	data TEXT NOT NULL, 
	CONSTRAINT outbox_pkey PRIMARY KEY (event_n, recorded_at)
)
 PARTITION BY RANGE (recorded_at)
-- end of statement
CREATE TABLE posting (
	seq BIGINT NOT NULL, 
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	happened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	id UUID NOT NULL, 
	source_id UUID NOT NULL, 
	actor UUID NOT NULL, 
	device UUID, 
	reverses UUID, 
	kind TEXT NOT NULL, 
	source_type TEXT NOT NULL, 
	reason TEXT, 
	CONSTRAINT posting_pkey PRIMARY KEY (seq, recorded_at)
)
 PARTITION BY RANGE (recorded_at)
-- end of statement
CREATE TABLE posting_key (
	id UUID NOT NULL, 
	caller UUID NOT NULL, 
	seq BIGINT NOT NULL, 
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	digest BYTEA NOT NULL, 
	CONSTRAINT posting_key_pkey PRIMARY KEY (id)
)
-- end of statement
CREATE TABLE reservation (
	id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	state TEXT DEFAULT 'open' NOT NULL, 
	reference TEXT, 
	channel_id UUID, 
	expires_at TIMESTAMP WITH TIME ZONE, 
	created_by UUID NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	ended_at TIMESTAMP WITH TIME ZONE, 
	version INTEGER DEFAULT '1' NOT NULL, 
	CONSTRAINT reservation_pkey PRIMARY KEY (id), 
	CONSTRAINT reservation_kind_check CHECK (kind IN ('basket', 'order', 'quota')), 
	CONSTRAINT reservation_state_check CHECK (state IN ('open', 'consumed', 'released', 'expired')), 
	CONSTRAINT reservation_basket_ends_check CHECK (kind <> 'basket' OR expires_at IS NOT NULL)
)
-- end of statement
CREATE INDEX reservation_created_idx ON reservation (created_at, id)
-- end of statement
CREATE INDEX reservation_due_idx ON reservation (expires_at) WHERE state = 'open' AND expires_at IS NOT NULL
-- end of statement
CREATE INDEX reservation_reference_idx ON reservation (reference) WHERE reference IS NOT NULL
-- end of statement
CREATE TABLE reservation_line (
	reservation UUID NOT NULL, 
	line INTEGER NOT NULL, 
	variant UUID NOT NULL, 
	site UUID NOT NULL, 
	policy TEXT NOT NULL, 
	requested BIGINT NOT NULL, 
	claimed BIGINT NOT NULL, 
	consumed BIGINT DEFAULT '0' NOT NULL, 
	released BIGINT DEFAULT '0' NOT NULL, 
	expired BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT reservation_line_pkey PRIMARY KEY (reservation, line), 
	CONSTRAINT reservation_line_policy_check CHECK (policy IN ('all_or_nothing', 'what_there_is', 'backorder')), 
	CONSTRAINT reservation_line_quantity_check CHECK (requested > 0 AND claimed >= 0 AND consumed >= 0 AND released >= 0 AND expired >= 0), 
	CONSTRAINT reservation_line_open_check CHECK (claimed - consumed - released - expired >= 0)
)
-- end of statement
CREATE INDEX reservation_line_open_idx ON reservation_line (variant, site) WHERE claimed > consumed + released + expired
-- end of statement
CREATE TABLE reversal (
	original UUID NOT NULL, 
	by UUID NOT NULL, 
	CONSTRAINT reversal_pkey PRIMARY KEY (original)
)
-- end of statement
CREATE TABLE role (
	id UUID NOT NULL, 
	name TEXT NOT NULL, 
	permissions TEXT[] NOT NULL, 
	adjust_units NUMERIC, 
	adjust_value NUMERIC(20, 6), 
	builtin BOOLEAN DEFAULT 'false' NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT role_pkey PRIMARY KEY (id), 
	CONSTRAINT role_name_key UNIQUE (name)
)
-- end of statement
CREATE TABLE sale (
	id UUID NOT NULL, 
	register UUID NOT NULL, 
	location UUID NOT NULL, 
	site UUID NOT NULL, 
	happened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	actor UUID NOT NULL, 
	customer UUID, 
	refund_of UUID, 
	net BIGINT NOT NULL, 
	tax BIGINT NOT NULL, 
	discount BIGINT NOT NULL, 
	total BIGINT NOT NULL, 
	units BIGINT NOT NULL, 
	line_count INTEGER NOT NULL, 
	currency TEXT NOT NULL, 
	number TEXT, 
	state TEXT DEFAULT 'completed' NOT NULL, 
	CONSTRAINT sale_pkey PRIMARY KEY (id), 
	CONSTRAINT sale_state_check CHECK (state IN ('completed', 'partly_refunded', 'refunded', 'voided'))
)
-- end of statement
CREATE INDEX sale_happened_idx ON sale (happened_at)
-- end of statement
CREATE INDEX sale_number_idx ON sale (number) WHERE number IS NOT NULL
-- end of statement
CREATE INDEX sale_recorded_idx ON sale USING brin (recorded_at)
-- end of statement
CREATE INDEX sale_refund_idx ON sale (refund_of) WHERE refund_of IS NOT NULL
-- end of statement
CREATE INDEX sale_site_idx ON sale (site, happened_at)
-- end of statement
CREATE TABLE sale_line (
	sale UUID NOT NULL, 
	line INTEGER NOT NULL, 
	variant UUID, 
	quantity BIGINT NOT NULL, 
	refunded BIGINT DEFAULT '0' NOT NULL, 
	net BIGINT NOT NULL, 
	tax BIGINT NOT NULL, 
	discount BIGINT NOT NULL, 
	total BIGINT NOT NULL, 
	unit_price NUMERIC(20, 6) NOT NULL, 
	code TEXT NOT NULL, 
	told_quantity TEXT NOT NULL, 
	description TEXT, 
	lot_code TEXT, 
	serial_number TEXT, 
	CONSTRAINT sale_line_pkey PRIMARY KEY (sale, line)
)
-- end of statement
CREATE TABLE saved_view (
	id UUID NOT NULL, 
	owner UUID NOT NULL, 
	page TEXT NOT NULL, 
	name TEXT NOT NULL, 
	query TEXT NOT NULL, 
	shared BOOLEAN DEFAULT 'false' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT saved_view_pkey PRIMARY KEY (id), 
	CONSTRAINT saved_view_owner_page_name_key UNIQUE (owner, page, name)
)
-- end of statement
CREATE INDEX saved_view_owner_idx ON saved_view (owner)
-- end of statement
CREATE TABLE search_cut (
	cut TEXT COLLATE "C" NOT NULL, 
	word TEXT COLLATE "C" NOT NULL, 
	CONSTRAINT search_cut_pkey PRIMARY KEY (cut, word)
)
-- end of statement
CREATE TABLE search_word (
	word TEXT COLLATE "C" NOT NULL, 
	CONSTRAINT search_word_pkey PRIMARY KEY (word)
)
-- end of statement
CREATE TABLE self_check (
	id UUID NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	levels BIGINT NOT NULL, 
	site_levels BIGINT NOT NULL, 
	skipped BIGINT NOT NULL, 
	drift BIGINT NOT NULL, 
	took_ms BIGINT NOT NULL, 
	differences JSONB NOT NULL, 
	state JSONB NOT NULL, 
	CONSTRAINT self_check_pkey PRIMARY KEY (id)
)
-- end of statement
CREATE INDEX self_check_at_idx ON self_check (at)
-- end of statement
CREATE TABLE sign_in_tries (
	key BYTEA NOT NULL, 
	failures INTEGER NOT NULL, 
	last_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	wait_until TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT sign_in_tries_pkey PRIMARY KEY (key)
)
-- end of statement
CREATE TABLE stream_head (
	one SMALLINT DEFAULT '1' NOT NULL, 
	posting_n BIGINT DEFAULT '0' NOT NULL, 
	event_n BIGINT DEFAULT '0' NOT NULL, 
	last_recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	directory_epoch BIGINT DEFAULT '1' NOT NULL, 
	CONSTRAINT stream_head_pkey PRIMARY KEY (one), 
	CONSTRAINT stream_head_single_check CHECK (one = 1)
)
 WITH (fillfactor = 10)
-- end of statement
CREATE TABLE supplier (
	id UUID NOT NULL, 
	code TEXT COLLATE "C" NOT NULL, 
	name TEXT NOT NULL, 
	email TEXT, 
	phone TEXT, 
	address JSONB, 
	minimum_life_days INTEGER, 
	external_id TEXT, 
	metadata JSONB DEFAULT '{}' NOT NULL, 
	archived_at TIMESTAMP WITH TIME ZONE, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT supplier_pkey PRIMARY KEY (id), 
	CONSTRAINT supplier_minimum_life_days_check CHECK (minimum_life_days >= 0), 
	CONSTRAINT supplier_code_key UNIQUE (code), 
	CONSTRAINT supplier_external_id_key UNIQUE (external_id)
)
-- end of statement
CREATE INDEX supplier_updated_at_id_idx ON supplier (updated_at, id)
-- end of statement
CREATE TABLE tax_code (
	id UUID NOT NULL, 
	code TEXT COLLATE "C" NOT NULL, 
	name TEXT NOT NULL, 
	rate NUMERIC(9, 6) NOT NULL, 
	external_id TEXT, 
	metadata JSONB DEFAULT '{}' NOT NULL, 
	archived_at TIMESTAMP WITH TIME ZONE, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT tax_code_pkey PRIMARY KEY (id), 
	CONSTRAINT tax_code_rate_check CHECK (rate >= 0 AND rate < 100), 
	CONSTRAINT tax_code_code_key UNIQUE (code), 
	CONSTRAINT tax_code_external_id_key UNIQUE (external_id)
)
-- end of statement
CREATE TABLE tender (
	sale UUID NOT NULL, 
	line INTEGER NOT NULL, 
	amount BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	reference TEXT, 
	CONSTRAINT tender_pkey PRIMARY KEY (sale, line)
)
-- end of statement
CREATE TABLE unit (
	code TEXT NOT NULL, 
	name TEXT NOT NULL, 
	dimension TEXT NOT NULL, 
	numerator BIGINT NOT NULL, 
	denominator BIGINT NOT NULL, 
	CONSTRAINT unit_pkey PRIMARY KEY (code), 
	CONSTRAINT unit_factor_check CHECK (numerator > 0 AND denominator > 0)
)
-- end of statement
CREATE TABLE verification (
	id UUID NOT NULL, 
	at TIMESTAMP WITH TIME ZONE NOT NULL, 
	ok BOOLEAN NOT NULL, 
	postings BIGINT NOT NULL, 
	moves BIGINT DEFAULT '0' NOT NULL, 
	claims BIGINT DEFAULT '0' NOT NULL, 
	events BIGINT DEFAULT '0' NOT NULL, 
	took_ms BIGINT DEFAULT '0' NOT NULL, 
	checks JSONB DEFAULT '{}' NOT NULL, 
	differences JSONB NOT NULL, 
	CONSTRAINT verification_pkey PRIMARY KEY (id)
)
-- end of statement
CREATE INDEX verification_at_idx ON verification (at)
-- end of statement
CREATE TABLE assignment (
	id UUID NOT NULL, 
	user_id UUID NOT NULL, 
	role_id UUID NOT NULL, 
	location_id UUID, 
	CONSTRAINT assignment_pkey PRIMARY KEY (id), 
	CONSTRAINT assignment_user_id_role_id_location_id_key UNIQUE NULLS NOT DISTINCT (user_id, role_id, location_id), 
	CONSTRAINT assignment_user_id_fkey FOREIGN KEY(user_id) REFERENCES app_user (id), 
	CONSTRAINT assignment_role_id_fkey FOREIGN KEY(role_id) REFERENCES role (id)
)
-- end of statement
CREATE INDEX assignment_role_id_idx ON assignment (role_id)
-- end of statement
CREATE TABLE channel_site (
	channel_id UUID NOT NULL, 
	site_id UUID NOT NULL, 
	CONSTRAINT channel_site_pkey PRIMARY KEY (channel_id, site_id), 
	CONSTRAINT channel_site_channel_id_fkey FOREIGN KEY(channel_id) REFERENCES channel (id), 
	CONSTRAINT channel_site_site_id_fkey FOREIGN KEY(site_id) REFERENCES location (id)
)
-- end of statement
CREATE TABLE count_capacity (
	site UUID NOT NULL, 
	bins_per_day INTEGER NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	CONSTRAINT count_capacity_pkey PRIMARY KEY (site), 
	CONSTRAINT count_capacity_bins_check CHECK (bins_per_day >= 0), 
	CONSTRAINT count_capacity_site_fkey FOREIGN KEY(site) REFERENCES location (id)
)
-- end of statement
CREATE TABLE count_correction (
	id UUID NOT NULL, 
	counted_level UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	happened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	late UUID[] NOT NULL, 
	CONSTRAINT count_correction_pkey PRIMARY KEY (id), 
	CONSTRAINT count_correction_quantity_check CHECK (quantity <> 0), 
	CONSTRAINT count_correction_counted_level_fkey FOREIGN KEY(counted_level) REFERENCES counted_level (id)
)
-- end of statement
CREATE INDEX count_correction_counted_level_idx ON count_correction (counted_level)
-- end of statement
CREATE INDEX count_correction_recorded_at_id_idx ON count_correction (recorded_at, id)
-- end of statement
CREATE TABLE count_place (
	location UUID NOT NULL, 
	counted_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT count_place_pkey PRIMARY KEY (location), 
	CONSTRAINT count_place_location_fkey FOREIGN KEY(location) REFERENCES location (id)
)
-- end of statement
CREATE TABLE count_sheet (
	id UUID NOT NULL, 
	site UUID NOT NULL, 
	name TEXT NOT NULL, 
	due_on DATE NOT NULL, 
	created_by UUID NOT NULL, 
	created_by_name TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT count_sheet_pkey PRIMARY KEY (id), 
	CONSTRAINT count_sheet_site_fkey FOREIGN KEY(site) REFERENCES location (id)
)
-- end of statement
CREATE INDEX count_sheet_created_at_id_idx ON count_sheet (created_at, id)
-- end of statement
CREATE TABLE import_run (
	id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	file_id UUID NOT NULL, 
	file_name TEXT NOT NULL, 
	file_sha256 BYTEA NOT NULL, 
	headers JSONB NOT NULL, 
	preview JSONB NOT NULL, 
	mapping JSONB NOT NULL, 
	decimal_mark TEXT, 
	dry_run BOOLEAN DEFAULT 'true' NOT NULL, 
	outcome TEXT, 
	counts JSONB, 
	error_count BIGINT DEFAULT '0' NOT NULL, 
	job_id UUID, 
	created_by UUID NOT NULL, 
	created_by_name TEXT NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT import_run_pkey PRIMARY KEY (id), 
	CONSTRAINT import_run_outcome_check CHECK (outcome IN ('checked', 'refused', 'imported')), 
	CONSTRAINT import_run_file_id_fkey FOREIGN KEY(file_id) REFERENCES file (id), 
	CONSTRAINT import_run_job_id_fkey FOREIGN KEY(job_id) REFERENCES job (id)
)
-- end of statement
CREATE INDEX import_run_created_at_id_idx ON import_run (created_at, id)
-- end of statement
CREATE INDEX import_run_file_sha256_idx ON import_run (file_sha256)
-- end of statement
CREATE TABLE mailed_link (
	id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	user_id UUID NOT NULL, 
	token_hash BYTEA NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	used_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT mailed_link_pkey PRIMARY KEY (id), 
	CONSTRAINT mailed_link_token_hash_key UNIQUE (token_hash), 
	CONSTRAINT mailed_link_kind_check CHECK (kind IN ('invitation', 'password_reset')), 
	CONSTRAINT mailed_link_user_id_fkey FOREIGN KEY(user_id) REFERENCES app_user (id)
)
-- end of statement
CREATE INDEX mailed_link_user_id_idx ON mailed_link (user_id)
-- end of statement
CREATE TABLE product (
	id UUID NOT NULL, 
	external_id TEXT, 
	name TEXT NOT NULL, 
	description TEXT DEFAULT '' NOT NULL, 
	category_id UUID, 
	attributes JSONB DEFAULT '{}' NOT NULL, 
	options JSONB DEFAULT '[]' NOT NULL, 
	tracking TEXT DEFAULT 'none' NOT NULL, 
	pictures UUID[] DEFAULT '{}' NOT NULL, 
	archived_at TIMESTAMP WITH TIME ZONE, 
	metadata JSONB DEFAULT '{}' NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT product_pkey PRIMARY KEY (id), 
	CONSTRAINT product_tracking_check CHECK (tracking IN ('none','lot','serial')), 
	CONSTRAINT product_external_id_key UNIQUE (external_id), 
	CONSTRAINT product_category_id_fkey FOREIGN KEY(category_id) REFERENCES category (id)
)
-- end of statement
CREATE INDEX product_category_id_idx ON product (category_id)
-- end of statement
CREATE INDEX product_name_idx ON product (lower(name) COLLATE "C", id)
-- end of statement
CREATE INDEX product_updated_at_id_idx ON product (updated_at, id)
-- end of statement
CREATE TABLE recovery_code (
	user_id UUID NOT NULL, 
	code_hash BYTEA NOT NULL, 
	used_at TIMESTAMP WITH TIME ZONE, 
	CONSTRAINT recovery_code_pkey PRIMARY KEY (user_id, code_hash), 
	CONSTRAINT recovery_code_user_id_fkey FOREIGN KEY(user_id) REFERENCES app_user (id)
)
-- end of statement
CREATE TABLE register (
	id UUID NOT NULL, 
	code TEXT NOT NULL, 
	name TEXT NOT NULL, 
	location_id UUID NOT NULL, 
	external_id TEXT, 
	metadata JSONB DEFAULT '{}' NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT register_pkey PRIMARY KEY (id), 
	CONSTRAINT register_code_key UNIQUE (code), 
	CONSTRAINT register_location_id_fkey FOREIGN KEY(location_id) REFERENCES location (id)
)
-- end of statement
CREATE TABLE session (
	id UUID NOT NULL, 
	user_id UUID NOT NULL, 
	token_hash BYTEA NOT NULL, 
	previous_hash BYTEA, 
	rotated_at TIMESTAMP WITH TIME ZONE, 
	rights_version INTEGER NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	seen_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	expires_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	ended_at TIMESTAMP WITH TIME ZONE, 
	ip TEXT DEFAULT '' NOT NULL, 
	user_agent TEXT DEFAULT '' NOT NULL, 
	CONSTRAINT session_pkey PRIMARY KEY (id), 
	CONSTRAINT session_token_hash_key UNIQUE (token_hash), 
	CONSTRAINT session_user_id_fkey FOREIGN KEY(user_id) REFERENCES app_user (id)
)
-- end of statement
CREATE INDEX session_previous_hash_idx ON session (previous_hash) WHERE previous_hash IS NOT NULL
-- end of statement
CREATE INDEX session_user_id_idx ON session (user_id)
-- end of statement
CREATE TABLE transfer (
	id UUID NOT NULL, 
	number BIGINT GENERATED BY DEFAULT AS IDENTITY, 
	state TEXT DEFAULT 'draft' NOT NULL, 
	from_site UUID NOT NULL, 
	to_site UUID NOT NULL, 
	transit UUID NOT NULL, 
	reserves BOOLEAN DEFAULT 'true' NOT NULL, 
	expected_at TIMESTAMP WITH TIME ZONE, 
	note TEXT, 
	external_id TEXT, 
	metadata JSONB DEFAULT '{}' NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_by UUID NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	placed_at TIMESTAMP WITH TIME ZONE, 
	shipped_at TIMESTAMP WITH TIME ZONE, 
	closed_at TIMESTAMP WITH TIME ZONE, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT transfer_pkey PRIMARY KEY (id), 
	CONSTRAINT transfer_state_check CHECK (state IN ('draft', 'placed', 'shipped', 'received', 'cancelled')), 
	CONSTRAINT transfer_sites_check CHECK (from_site <> to_site), 
	CONSTRAINT transfer_number_key UNIQUE (number), 
	CONSTRAINT transfer_from_site_fkey FOREIGN KEY(from_site) REFERENCES location (id), 
	CONSTRAINT transfer_to_site_fkey FOREIGN KEY(to_site) REFERENCES location (id), 
	CONSTRAINT transfer_transit_fkey FOREIGN KEY(transit) REFERENCES location (id), 
	CONSTRAINT transfer_external_id_key UNIQUE (external_id)
)
-- end of statement
CREATE INDEX transfer_created_at_id_idx ON transfer (created_at, id)
-- end of statement
CREATE INDEX transfer_from_site_created_at_idx ON transfer (from_site, created_at)
-- end of statement
CREATE INDEX transfer_open_idx ON transfer (created_at, id) WHERE closed_at IS NULL
-- end of statement
CREATE INDEX transfer_to_site_created_at_idx ON transfer (to_site, created_at)
-- end of statement
CREATE TABLE bin_count (
	id UUID NOT NULL, 
	sheet UUID NOT NULL, 
	site UUID NOT NULL, 
	location UUID NOT NULL, 
	line INTEGER NOT NULL, 
	state TEXT DEFAULT 'open' NOT NULL, 
	round SMALLINT DEFAULT '1' NOT NULL, 
	claimed_by UUID, 
	claimed_by_name TEXT, 
	entry UUID, 
	happened_at TIMESTAMP WITH TIME ZONE, 
	value NUMERIC(20, 6), 
	lines JSONB DEFAULT '[]' NOT NULL, 
	"over" BOOLEAN DEFAULT 'false' NOT NULL, 
	decided_by UUID, 
	decided_by_name TEXT, 
	decided_at TIMESTAMP WITH TIME ZONE, 
	note TEXT, 
	version INTEGER DEFAULT '1' NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT bin_count_pkey PRIMARY KEY (id), 
	CONSTRAINT bin_count_state_check CHECK (state IN ('open', 'claimed', 'recount', 'waiting', 'posted', 'cancelled')), 
	CONSTRAINT bin_count_sheet_fkey FOREIGN KEY(sheet) REFERENCES count_sheet (id), 
	CONSTRAINT bin_count_site_fkey FOREIGN KEY(site) REFERENCES location (id), 
	CONSTRAINT bin_count_location_fkey FOREIGN KEY(location) REFERENCES location (id)
)
-- end of statement
CREATE UNIQUE INDEX bin_count_busy_idx ON bin_count (location) WHERE state IN ('open', 'claimed', 'recount', 'waiting')
-- end of statement
CREATE INDEX bin_count_decided_idx ON bin_count (decided_at)
-- end of statement
CREATE INDEX bin_count_sheet_idx ON bin_count (sheet)
-- end of statement
CREATE INDEX bin_count_site_idx ON bin_count (site, state)
-- end of statement
CREATE TABLE import_error (
	import_id UUID NOT NULL, 
	n INTEGER NOT NULL, 
	row BIGINT NOT NULL, 
	"column" TEXT NOT NULL, 
	header TEXT NOT NULL, 
	value TEXT NOT NULL, 
	code TEXT NOT NULL, 
	message TEXT NOT NULL, 
	remedy TEXT NOT NULL, 
	CONSTRAINT import_error_pkey PRIMARY KEY (import_id, n), 
	CONSTRAINT import_error_import_id_fkey FOREIGN KEY(import_id) REFERENCES import_run (id) ON DELETE CASCADE
)
-- end of statement
CREATE TABLE transfer_step (
	id UUID NOT NULL, 
	transfer UUID NOT NULL, 
	kind TEXT NOT NULL, 
	happened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	recorded_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	actor UUID NOT NULL, 
	note TEXT, 
	digest BYTEA NOT NULL, 
	CONSTRAINT transfer_step_pkey PRIMARY KEY (id), 
	CONSTRAINT transfer_step_kind_check CHECK (kind IN ('created', 'placed', 'shipment', 'receipt', 'resolution', 'closed', 'cancelled')), 
	CONSTRAINT transfer_step_transfer_fkey FOREIGN KEY(transfer) REFERENCES transfer (id) ON DELETE CASCADE
)
-- end of statement
CREATE INDEX transfer_step_transfer_idx ON transfer_step (transfer)
-- end of statement
CREATE TABLE variant (
	id UUID NOT NULL, 
	product_id UUID NOT NULL, 
	sku TEXT COLLATE "C" NOT NULL, 
	name TEXT NOT NULL, 
	options JSONB DEFAULT '{}' NOT NULL, 
	attributes JSONB DEFAULT '{}' NOT NULL, 
	unit TEXT NOT NULL, 
	decimals SMALLINT NOT NULL, 
	list_price_minor BIGINT, 
	list_price_currency TEXT, 
	cost NUMERIC(20, 6), 
	cost_currency TEXT, 
	weight_g NUMERIC(14, 3), 
	dimensions_mm INTEGER[], 
	archived_at TIMESTAMP WITH TIME ZONE, 
	merged_into UUID, 
	external_id TEXT, 
	metadata JSONB DEFAULT '{}' NOT NULL, 
	words TSVECTOR DEFAULT '' NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT variant_pkey PRIMARY KEY (id), 
	CONSTRAINT variant_decimals_check CHECK (decimals BETWEEN 0 AND 6), 
	CONSTRAINT variant_list_price_check CHECK ((list_price_minor IS NULL) = (list_price_currency IS NULL)), 
	CONSTRAINT variant_cost_check CHECK ((cost IS NULL) = (cost_currency IS NULL)), 
	CONSTRAINT variant_merged_check CHECK (merged_into <> id), 
	CONSTRAINT variant_product_id_fkey FOREIGN KEY(product_id) REFERENCES product (id), 
	CONSTRAINT variant_sku_key UNIQUE (sku), 
	CONSTRAINT variant_unit_fkey FOREIGN KEY(unit) REFERENCES unit (code), 
	CONSTRAINT variant_merged_into_fkey FOREIGN KEY(merged_into) REFERENCES variant (id), 
	CONSTRAINT variant_external_id_key UNIQUE (external_id)
)
-- end of statement
CREATE INDEX variant_merged_into_idx ON variant (merged_into) WHERE merged_into IS NOT NULL
-- end of statement
CREATE INDEX variant_product_id_idx ON variant (product_id)
-- end of statement
CREATE INDEX variant_sku_lower_idx ON variant (lower(sku) COLLATE "C")
-- end of statement
CREATE INDEX variant_updated_at_id_idx ON variant (updated_at, id)
-- end of statement
CREATE INDEX variant_words_idx ON variant USING gin (words) WITH (fastupdate = off)
-- end of statement
CREATE TABLE backorder (
	variant UUID NOT NULL, 
	site UUID NOT NULL, 
	max_quantity BIGINT, 
	note TEXT, 
	approved_by UUID NOT NULL, 
	approved_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	ended_at TIMESTAMP WITH TIME ZONE, 
	version INTEGER DEFAULT '1' NOT NULL, 
	CONSTRAINT backorder_pkey PRIMARY KEY (variant, site), 
	CONSTRAINT backorder_max_quantity_check CHECK (max_quantity >= 0), 
	CONSTRAINT backorder_variant_fkey FOREIGN KEY(variant) REFERENCES variant (id), 
	CONSTRAINT backorder_site_fkey FOREIGN KEY(site) REFERENCES location (id)
)
-- end of statement
CREATE TABLE barcode (
	code TEXT COLLATE "C" NOT NULL, 
	variant_id UUID NOT NULL, 
	kind TEXT NOT NULL, 
	quantity BIGINT NOT NULL, 
	level TEXT NOT NULL, 
	CONSTRAINT barcode_pkey PRIMARY KEY (code), 
	CONSTRAINT barcode_kind_check CHECK (kind IN ('gtin','other')), 
	CONSTRAINT barcode_level_check CHECK (level IN ('each','case','pallet')), 
	CONSTRAINT barcode_quantity_check CHECK (quantity > 0), 
	CONSTRAINT barcode_variant_id_fkey FOREIGN KEY(variant_id) REFERENCES variant (id)
)
-- end of statement
CREATE INDEX barcode_variant_id_idx ON barcode (variant_id)
-- end of statement
CREATE TABLE channel_buffer (
	channel_id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	site_id UUID NOT NULL, 
	buffer BIGINT NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT channel_buffer_pkey PRIMARY KEY (channel_id, variant_id, site_id), 
	CONSTRAINT channel_buffer_buffer_check CHECK (buffer >= 0), 
	CONSTRAINT channel_buffer_channel_id_fkey FOREIGN KEY(channel_id) REFERENCES channel (id), 
	CONSTRAINT channel_buffer_variant_id_fkey FOREIGN KEY(variant_id) REFERENCES variant (id), 
	CONSTRAINT channel_buffer_site_id_fkey FOREIGN KEY(site_id) REFERENCES location (id)
)
-- end of statement
CREATE INDEX channel_buffer_variant_id_idx ON channel_buffer (variant_id)
-- end of statement
CREATE TABLE count_class (
	variant UUID NOT NULL, 
	site UUID NOT NULL, 
	class TEXT NOT NULL, 
	value NUMERIC(20, 6) NOT NULL, 
	made_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT count_class_pkey PRIMARY KEY (site, variant), 
	CONSTRAINT count_class_class_check CHECK (class IN ('A', 'B', 'C')), 
	CONSTRAINT count_class_variant_fkey FOREIGN KEY(variant) REFERENCES variant (id), 
	CONSTRAINT count_class_site_fkey FOREIGN KEY(site) REFERENCES location (id)
)
-- end of statement
CREATE TABLE count_entry (
	id UUID NOT NULL, 
	bin_count UUID NOT NULL, 
	round SMALLINT NOT NULL, 
	actor UUID NOT NULL, 
	actor_name TEXT NOT NULL, 
	happened_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	recorded_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	complete BOOLEAN NOT NULL, 
	lines JSONB NOT NULL, 
	unknown JSONB DEFAULT '[]' NOT NULL, 
	digest BYTEA NOT NULL, 
	CONSTRAINT count_entry_pkey PRIMARY KEY (id), 
	CONSTRAINT count_entry_bin_count_round_key UNIQUE (bin_count, round), 
	CONSTRAINT count_entry_bin_count_fkey FOREIGN KEY(bin_count) REFERENCES bin_count (id)
)
-- end of statement
CREATE INDEX count_entry_bin_count_idx ON count_entry (bin_count)
-- end of statement
CREATE TABLE expectation (
	source_line UUID NOT NULL, 
	source_type TEXT NOT NULL, 
	source_id UUID NOT NULL, 
	variant UUID NOT NULL, 
	site UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	due TIMESTAMP WITH TIME ZONE NOT NULL, 
	CONSTRAINT expectation_pkey PRIMARY KEY (source_line), 
	CONSTRAINT expectation_variant_fkey FOREIGN KEY(variant) REFERENCES variant (id), 
	CONSTRAINT expectation_site_fkey FOREIGN KEY(site) REFERENCES location (id)
)
-- end of statement
CREATE INDEX expectation_variant_site_due_idx ON expectation (variant, site, due)
-- end of statement
CREATE TABLE level (
	variant UUID NOT NULL, 
	location UUID NOT NULL, 
	lot UUID DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL, 
	condition SMALLINT DEFAULT '0' NOT NULL, 
	on_hand BIGINT DEFAULT '0' NOT NULL, 
	allocated BIGINT DEFAULT '0' NOT NULL, 
	overdrawn BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT level_pkey PRIMARY KEY (variant, location, lot, condition), 
	CONSTRAINT level_allocated_check CHECK (allocated >= 0), 
	CONSTRAINT level_overdrawn_check CHECK (overdrawn >= 0), 
	CONSTRAINT level_covered_check CHECK (on_hand + overdrawn >= 0), 
	CONSTRAINT level_variant_fkey FOREIGN KEY(variant) REFERENCES variant (id), 
	CONSTRAINT level_location_fkey FOREIGN KEY(location) REFERENCES location (id)
)
 WITH (fillfactor = 70)
-- end of statement
CREATE INDEX level_location_idx ON level (location)
-- end of statement
CREATE INDEX level_lot_idx ON level (lot) WHERE lot <> '00000000-0000-0000-0000-000000000000'
-- end of statement
CREATE TABLE lot (
	id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	code TEXT COLLATE "C" NOT NULL, 
	kind TEXT DEFAULT 'lot' NOT NULL, 
	supplier_id UUID, 
	owner_kind TEXT, 
	owner_id UUID, 
	made_on DATE, 
	expires_on DATE, 
	certificate_file UUID, 
	certificate_state TEXT DEFAULT 'none' NOT NULL, 
	certificate_by UUID, 
	certificate_by_name TEXT, 
	certificate_at TIMESTAMP WITH TIME ZONE, 
	certificate_note TEXT, 
	notes TEXT DEFAULT '' NOT NULL, 
	external_id TEXT, 
	metadata JSONB DEFAULT '{}' NOT NULL, 
	version INTEGER DEFAULT '1' NOT NULL, 
	created_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT lot_pkey PRIMARY KEY (id), 
	CONSTRAINT lot_variant_id_code_key UNIQUE (variant_id, code), 
	CONSTRAINT lot_kind_check CHECK (kind IN ('lot','serial')), 
	CONSTRAINT lot_owner_check CHECK ((owner_kind IS NULL) = (owner_id IS NULL)), 
	CONSTRAINT lot_owner_kind_check CHECK (owner_kind IN ('supplier','customer')), 
	CONSTRAINT lot_certificate_state_check CHECK (certificate_state IN ('none','waiting','approved','rejected')), 
	CONSTRAINT lot_dates_check CHECK (made_on <= expires_on), 
	CONSTRAINT lot_variant_id_fkey FOREIGN KEY(variant_id) REFERENCES variant (id), 
	CONSTRAINT lot_supplier_id_fkey FOREIGN KEY(supplier_id) REFERENCES supplier (id), 
	CONSTRAINT lot_certificate_file_fkey FOREIGN KEY(certificate_file) REFERENCES file (id), 
	CONSTRAINT lot_external_id_key UNIQUE (external_id)
)
-- end of statement
CREATE INDEX lot_code_id_idx ON lot (code, id)
-- end of statement
CREATE INDEX lot_code_lower_idx ON lot (lower(code) COLLATE "C", id)
-- end of statement
CREATE INDEX lot_expires_idx ON lot (expires_on, id) WHERE expires_on IS NOT NULL
-- end of statement
CREATE INDEX lot_updated_at_id_idx ON lot (updated_at, id)
-- end of statement
CREATE TABLE minimum (
	variant_id UUID NOT NULL, 
	site_id UUID NOT NULL, 
	minimum BIGINT NOT NULL, 
	updated_at TIMESTAMP WITH TIME ZONE DEFAULT clock_timestamp() NOT NULL, 
	CONSTRAINT minimum_pkey PRIMARY KEY (variant_id, site_id), 
	CONSTRAINT minimum_minimum_check CHECK (minimum >= 0), 
	CONSTRAINT minimum_variant_id_fkey FOREIGN KEY(variant_id) REFERENCES variant (id), 
	CONSTRAINT minimum_site_id_fkey FOREIGN KEY(site_id) REFERENCES location (id)
)
-- end of statement
CREATE INDEX minimum_site_id_variant_id_idx ON minimum (site_id, variant_id)
-- end of statement
CREATE TABLE site_level (
	variant UUID NOT NULL, 
	site UUID NOT NULL, 
	sellable BIGINT DEFAULT '0' NOT NULL, 
	reserved BIGINT DEFAULT '0' NOT NULL, 
	overdrawn BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT site_level_pkey PRIMARY KEY (variant, site), 
	CONSTRAINT site_level_reserved_check CHECK (reserved >= 0), 
	CONSTRAINT site_level_overdrawn_check CHECK (overdrawn >= 0), 
	CONSTRAINT site_level_covered_check CHECK (sellable - reserved + overdrawn >= 0), 
	CONSTRAINT site_level_variant_fkey FOREIGN KEY(variant) REFERENCES variant (id), 
	CONSTRAINT site_level_site_fkey FOREIGN KEY(site) REFERENCES location (id)
)
 WITH (fillfactor = 70)
-- end of statement
CREATE INDEX site_level_site_idx ON site_level (site)
-- end of statement
CREATE TABLE transfer_line (
	id UUID NOT NULL, 
	transfer UUID NOT NULL, 
	number INTEGER NOT NULL, 
	variant UUID NOT NULL, 
	lot UUID DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL, 
	requested BIGINT NOT NULL, 
	dropped BIGINT DEFAULT '0' NOT NULL, 
	claimed BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT transfer_line_pkey PRIMARY KEY (id), 
	CONSTRAINT transfer_line_transfer_number_key UNIQUE (transfer, number), 
	CONSTRAINT transfer_line_requested_check CHECK (requested >= 0), 
	CONSTRAINT transfer_line_dropped_check CHECK (dropped >= 0 AND dropped <= requested), 
	CONSTRAINT transfer_line_claimed_check CHECK (claimed >= 0 AND claimed <= requested), 
	CONSTRAINT transfer_line_transfer_fkey FOREIGN KEY(transfer) REFERENCES transfer (id) ON DELETE CASCADE, 
	CONSTRAINT transfer_line_variant_fkey FOREIGN KEY(variant) REFERENCES variant (id)
)
-- end of statement
CREATE INDEX transfer_line_variant_idx ON transfer_line (variant)
-- end of statement
CREATE TABLE hold (
	id UUID NOT NULL, 
	lot_id UUID, 
	variant_id UUID, 
	location_id UUID, 
	condition TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	state TEXT DEFAULT 'open' NOT NULL, 
	rounds INTEGER DEFAULT '0' NOT NULL, 
	placed_at TIMESTAMP WITH TIME ZONE NOT NULL, 
	placed_by UUID NOT NULL, 
	placed_by_name TEXT NOT NULL, 
	released_at TIMESTAMP WITH TIME ZONE, 
	released_by UUID, 
	released_by_name TEXT, 
	release_reason TEXT, 
	version INTEGER DEFAULT '1' NOT NULL, 
	CONSTRAINT hold_pkey PRIMARY KEY (id), 
	CONSTRAINT hold_scope_check CHECK (num_nonnulls(lot_id, variant_id, location_id) > 0), 
	CONSTRAINT hold_condition_check CHECK (condition IN ('hold','quarantine','recalled')), 
	CONSTRAINT hold_state_check CHECK (state IN ('open','released')), 
	CONSTRAINT hold_lot_id_fkey FOREIGN KEY(lot_id) REFERENCES lot (id), 
	CONSTRAINT hold_variant_id_fkey FOREIGN KEY(variant_id) REFERENCES variant (id), 
	CONSTRAINT hold_location_id_fkey FOREIGN KEY(location_id) REFERENCES location (id)
)
-- end of statement
CREATE INDEX hold_lot_id_idx ON hold (lot_id)
-- end of statement
CREATE INDEX hold_open_idx ON hold (placed_at, id) WHERE state = 'open'
-- end of statement
CREATE INDEX hold_placed_at_id_idx ON hold (placed_at, id)
-- end of statement
CREATE TABLE serial (
	lot UUID NOT NULL, 
	on_hand BIGINT NOT NULL, 
	CONSTRAINT serial_pkey PRIMARY KEY (lot), 
	CONSTRAINT serial_once_check CHECK (on_hand <= 1), 
	CONSTRAINT serial_lot_fkey FOREIGN KEY(lot) REFERENCES lot (id)
)
-- end of statement
CREATE TABLE transfer_part (
	line UUID NOT NULL, 
	lot UUID DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL, 
	shipped BIGINT DEFAULT '0' NOT NULL, 
	received BIGINT DEFAULT '0' NOT NULL, 
	damaged BIGINT DEFAULT '0' NOT NULL, 
	lost BIGINT DEFAULT '0' NOT NULL, 
	returned BIGINT DEFAULT '0' NOT NULL, 
	CONSTRAINT transfer_part_pkey PRIMARY KEY (line, lot), 
	CONSTRAINT transfer_part_ends_check CHECK (received >= 0 AND damaged >= 0 AND lost >= 0 AND returned >= 0), 
	CONSTRAINT transfer_part_conserved_check CHECK (shipped >= received + damaged + lost + returned), 
	CONSTRAINT transfer_part_line_fkey FOREIGN KEY(line) REFERENCES transfer_line (id) ON DELETE CASCADE
)
-- end of statement
CREATE TABLE transfer_step_line (
	step UUID NOT NULL, 
	number INTEGER NOT NULL, 
	line UUID NOT NULL, 
	lot UUID DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL, 
	outcome TEXT NOT NULL, 
	quantity BIGINT NOT NULL, 
	location UUID NOT NULL, 
	"over" BOOLEAN DEFAULT 'false' NOT NULL, 
	CONSTRAINT transfer_step_line_pkey PRIMARY KEY (step, number), 
	CONSTRAINT transfer_step_line_quantity_check CHECK (quantity > 0), 
	CONSTRAINT transfer_step_line_outcome_check CHECK (outcome IN ('shipped', 'received', 'damaged', 'lost', 'returned', 'found')), 
	CONSTRAINT transfer_step_line_step_fkey FOREIGN KEY(step) REFERENCES transfer_step (id) ON DELETE CASCADE, 
	CONSTRAINT transfer_step_line_line_fkey FOREIGN KEY(line) REFERENCES transfer_line (id) ON DELETE CASCADE
)
-- end of statement
CREATE TABLE hold_line (
	hold_id UUID NOT NULL, 
	variant_id UUID NOT NULL, 
	lot UUID NOT NULL, 
	location_id UUID NOT NULL, 
	quantity BIGINT NOT NULL, 
	CONSTRAINT hold_line_pkey PRIMARY KEY (hold_id, variant_id, lot, location_id), 
	CONSTRAINT hold_line_quantity_check CHECK (quantity > 0), 
	CONSTRAINT hold_line_hold_id_fkey FOREIGN KEY(hold_id) REFERENCES hold (id), 
	CONSTRAINT hold_line_variant_id_fkey FOREIGN KEY(variant_id) REFERENCES variant (id), 
	CONSTRAINT hold_line_location_id_fkey FOREIGN KEY(location_id) REFERENCES location (id)
)
-- end of statement
-- The job queue: procrastinate's own schema text, between the two marks, in a schema of its own. Runs once, as the owner.
-- tests/kit/test_jobs.py compares it with the installed version: when that grows, a migration has to bring the difference.

CREATE SCHEMA jobs;
SET search_path = jobs, pg_catalog;

-- >>> procrastinate
-- Procrastinate Schema

DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS plpgsql WITH SCHEMA pg_catalog;
EXCEPTION
    WHEN OTHERS THEN
        -- On managed PostgreSQL services (e.g. Azure Database for PostgreSQL, Amazon RDS,
        -- Google Cloud SQL), CREATE EXTENSION may fail with various error codes:
        -- insufficient_privilege, feature_not_supported, or provider-specific errors.
        -- Before ignoring, verify the extension actually exists — if it does not exist
        -- and cannot be created, re-raise so the failure is explicit.
        IF EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'plpgsql') THEN
            RAISE NOTICE 'plpgsql extension already exists, skipping creation.';
        ELSE
            RAISE;
        END IF;
END;
$$;

-- Enums

CREATE TYPE procrastinate_job_status AS ENUM (
    'todo',  -- The job is queued
    'doing',  -- The job has been fetched by a worker
    'succeeded',  -- The job ended successfully
    'failed',  -- The job ended with an error
    'cancelled', -- The job was cancelled
    'aborting',  -- legacy, not used anymore since v3.0.0
    'aborted'  -- The job was aborted
);

CREATE TYPE procrastinate_job_event_type AS ENUM (
    'deferred',  -- Job created, in todo
    'started',  -- todo -> doing
    'deferred_for_retry',  -- doing -> todo
    'failed',  -- doing -> failed
    'succeeded',  -- doing -> succeeded
    'cancelled', -- todo -> cancelled
    'abort_requested', -- not a state transition, but set in a separate field
    'aborted', -- doing -> aborted (only allowed when abort_requested field is set)
    'scheduled', -- not a state transition, but recording when a task is scheduled for
    'retried' -- Manually retried failed job
);

-- Composite Types

CREATE TYPE procrastinate_job_to_defer_v1 AS (
    queue_name character varying,
    task_name character varying,
    priority integer,
    lock text,
    queueing_lock text,
    args jsonb,
    scheduled_at timestamp with time zone
);

-- Tables

CREATE TABLE procrastinate_workers(
    id bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    last_heartbeat timestamp with time zone NOT NULL DEFAULT NOW()
);

CREATE TABLE procrastinate_jobs (
    id bigserial PRIMARY KEY,
    queue_name character varying(128) NOT NULL,
    task_name character varying(128) NOT NULL,
    priority integer DEFAULT 0 NOT NULL,
    lock text,
    queueing_lock text,
    args jsonb DEFAULT '{}' NOT NULL,
    status procrastinate_job_status DEFAULT 'todo'::procrastinate_job_status NOT NULL,
    scheduled_at timestamp with time zone NULL,
    attempts integer DEFAULT 0 NOT NULL,
    abort_requested boolean DEFAULT false NOT NULL,
    worker_id bigint REFERENCES procrastinate_workers(id) ON DELETE SET NULL,
    CONSTRAINT check_not_todo_abort_requested CHECK (NOT (status = 'todo' AND abort_requested = true))
);

CREATE TABLE procrastinate_periodic_defers (
    id bigserial PRIMARY KEY,
    task_name character varying(128) NOT NULL,
    defer_timestamp bigint,
    job_id bigint REFERENCES procrastinate_jobs(id) NULL,
    periodic_id character varying(128) NOT NULL DEFAULT '',
    CONSTRAINT procrastinate_periodic_defers_unique UNIQUE (task_name, periodic_id, defer_timestamp)
);

CREATE TABLE procrastinate_events (
    id bigserial PRIMARY KEY,
    job_id bigint NOT NULL REFERENCES procrastinate_jobs ON DELETE CASCADE,
    type procrastinate_job_event_type,
    at timestamp with time zone DEFAULT NOW() NULL
);

-- Constraints & Indices

-- this prevents from having several jobs with the same queueing lock in the "todo" state
CREATE UNIQUE INDEX procrastinate_jobs_queueing_lock_idx_v1 ON procrastinate_jobs (queueing_lock) WHERE status = 'todo';
-- this prevents from having several jobs with the same lock in the "doing" state
CREATE UNIQUE INDEX procrastinate_jobs_lock_idx_v1 ON procrastinate_jobs (lock) WHERE status = 'doing';

-- Index for select_stalled_jobs_by_heartbeat query
CREATE INDEX idx_procrastinate_jobs_worker_not_null ON procrastinate_jobs(worker_id) WHERE worker_id IS NOT NULL AND status = 'doing'::procrastinate_job_status;

CREATE INDEX procrastinate_jobs_queue_name_idx_v1 ON procrastinate_jobs(queue_name);
CREATE INDEX procrastinate_jobs_id_lock_idx_v1 ON procrastinate_jobs (id, lock) WHERE status = ANY (ARRAY['todo'::procrastinate_job_status, 'doing'::procrastinate_job_status]);
CREATE INDEX procrastinate_jobs_priority_idx_v1 ON procrastinate_jobs(priority desc, id asc) WHERE (status = 'todo'::procrastinate_job_status);

CREATE INDEX procrastinate_events_job_id_fkey_v1 ON procrastinate_events(job_id);

CREATE INDEX procrastinate_periodic_defers_job_id_fkey_v1 ON procrastinate_periodic_defers(job_id);

CREATE INDEX idx_procrastinate_workers_last_heartbeat ON procrastinate_workers(last_heartbeat);

-- Functions
CREATE FUNCTION procrastinate_defer_jobs_v1(
    jobs procrastinate_job_to_defer_v1[]
)
    RETURNS bigint[]
    LANGUAGE plpgsql
AS $$
DECLARE
    job_ids bigint[];
BEGIN
    WITH inserted_jobs AS (
        INSERT INTO procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args, scheduled_at)
        SELECT (job).queue_name,
               (job).task_name,
               (job).priority,
               (job).lock,
               (job).queueing_lock,
               (job).args,
               (job).scheduled_at
        FROM unnest(jobs) AS job
        RETURNING id
    )
    SELECT array_agg(id) FROM inserted_jobs INTO job_ids;

    RETURN job_ids;
END;
$$;

CREATE FUNCTION procrastinate_defer_periodic_job_v2(
    _queue_name character varying,
    _lock character varying,
    _queueing_lock character varying,
    _task_name character varying,
    _priority integer,
    _periodic_id character varying,
    _defer_timestamp bigint,
    _args jsonb
)
    RETURNS bigint
    LANGUAGE plpgsql
AS $$
DECLARE
	_job_id bigint;
	_defer_id bigint;
BEGIN
    INSERT
        INTO procrastinate_periodic_defers (task_name, periodic_id, defer_timestamp)
        VALUES (_task_name, _periodic_id, _defer_timestamp)
        ON CONFLICT DO NOTHING
        RETURNING id into _defer_id;

    IF _defer_id IS NULL THEN
        RETURN NULL;
    END IF;

    UPDATE procrastinate_periodic_defers
        SET job_id = (
            SELECT COALESCE((
                SELECT unnest(procrastinate_defer_jobs_v1(
                    ARRAY[
                        ROW(
                            _queue_name,
                            _task_name,
                            _priority,
                            _lock,
                            _queueing_lock,
                            _args,
                            NULL::timestamptz
                        )
                    ]::procrastinate_job_to_defer_v1[]
                ))
            ), NULL)
        )
        WHERE id = _defer_id
        RETURNING job_id INTO _job_id;

    DELETE
        FROM procrastinate_periodic_defers
        USING (
            SELECT id
            FROM procrastinate_periodic_defers
            WHERE procrastinate_periodic_defers.task_name = _task_name
            AND procrastinate_periodic_defers.periodic_id = _periodic_id
            AND procrastinate_periodic_defers.defer_timestamp < _defer_timestamp
            ORDER BY id
            FOR UPDATE
        ) to_delete
        WHERE procrastinate_periodic_defers.id = to_delete.id;

    RETURN _job_id;
END;
$$;

CREATE FUNCTION procrastinate_fetch_job_v2(
    target_queue_names character varying[],
    p_worker_id bigint
)
    RETURNS procrastinate_jobs
    LANGUAGE plpgsql
AS $$
DECLARE
	found_jobs procrastinate_jobs;
BEGIN
    WITH candidate AS (
        SELECT jobs.*
            FROM procrastinate_jobs AS jobs
            WHERE
                -- reject the job if its lock has earlier or higher priority jobs
                NOT EXISTS (
                    SELECT 1
                        FROM procrastinate_jobs AS other_jobs
                        WHERE
                            jobs.lock IS NOT NULL
                            AND other_jobs.lock = jobs.lock
                            AND (
                                -- job with same lock is already running
                                other_jobs.status = 'doing'
                                OR
                                -- job with same lock is waiting and has higher priority (or same priority but was queued first)
                                (
                                    other_jobs.status = 'todo'
                                    AND (
                                        other_jobs.priority > jobs.priority
                                        OR (
                                        other_jobs.priority = jobs.priority
                                        AND other_jobs.id < jobs.id
                                        )
                                    )
                                )
                            )
                )
                AND jobs.status = 'todo'
                AND (target_queue_names IS NULL OR jobs.queue_name = ANY( target_queue_names ))
                AND (jobs.scheduled_at IS NULL OR jobs.scheduled_at <= now())
            ORDER BY jobs.priority DESC, jobs.id ASC LIMIT 1
            FOR UPDATE OF jobs SKIP LOCKED
    )
    UPDATE procrastinate_jobs
        SET status = 'doing', worker_id = p_worker_id
        FROM candidate
        WHERE procrastinate_jobs.id = candidate.id
        RETURNING procrastinate_jobs.* INTO found_jobs;

 RETURN found_jobs;
END;
$$;

CREATE FUNCTION procrastinate_finish_job_v1(job_id bigint, end_status procrastinate_job_status, delete_job boolean)
    RETURNS void
    LANGUAGE plpgsql
AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF end_status NOT IN ('succeeded', 'failed', 'aborted') THEN
        RAISE 'End status should be either "succeeded", "failed" or "aborted" (job id: %)', job_id;
    END IF;
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = end_status,
            abort_requested = false,
            attempts = CASE status
                WHEN 'doing' THEN attempts + 1 ELSE attempts
            END
        WHERE id = job_id AND status IN ('todo', 'doing')
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" or "todo" status (job id: %)', job_id;
    END IF;
END;
$$;

CREATE FUNCTION procrastinate_cancel_job_v1(job_id bigint, abort boolean, delete_job boolean)
    RETURNS bigint
    LANGUAGE plpgsql
AS $$
DECLARE
    _job_id bigint;
BEGIN
    IF delete_job THEN
        DELETE FROM procrastinate_jobs
        WHERE id = job_id AND status = 'todo'
        RETURNING id INTO _job_id;
    END IF;
    IF _job_id IS NULL THEN
        IF abort THEN
            UPDATE procrastinate_jobs
            SET abort_requested = true,
                status = CASE status
                    WHEN 'todo' THEN 'cancelled'::procrastinate_job_status ELSE status
                END
            WHERE id = job_id AND status IN ('todo', 'doing')
            RETURNING id INTO _job_id;
        ELSE
            UPDATE procrastinate_jobs
            SET status = 'cancelled'::procrastinate_job_status
            WHERE id = job_id AND status = 'todo'
            RETURNING id INTO _job_id;
        END IF;
    END IF;
    RETURN _job_id;
END;
$$;

CREATE FUNCTION procrastinate_retry_job_v1(
    job_id bigint,
    retry_at timestamp with time zone,
    new_priority integer,
    new_queue_name character varying,
    new_lock character varying
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
BEGIN
    SELECT abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status = 'doing'
    FOR UPDATE
    INTO _abort_requested;
    IF _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    END IF;

    IF _job_id IS NULL THEN
        RAISE 'Job was not found or not in "doing" status (job id: %)', job_id;
    END IF;
END;
$$;

CREATE FUNCTION procrastinate_retry_job_v2(
    job_id bigint,
    retry_at timestamp with time zone,
    new_priority integer,
    new_queue_name character varying,
    new_lock character varying
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _job_id bigint;
    _abort_requested boolean;
    _current_status procrastinate_job_status;
BEGIN
    SELECT status, abort_requested FROM procrastinate_jobs
    WHERE id = job_id AND status IN ('doing', 'failed')
    FOR UPDATE
    INTO _current_status, _abort_requested;
    IF _current_status = 'doing' AND _abort_requested THEN
        UPDATE procrastinate_jobs
        SET status = 'failed'::procrastinate_job_status
        WHERE id = job_id AND status = 'doing'
        RETURNING id INTO _job_id;
    ELSE
        UPDATE procrastinate_jobs
        SET status = 'todo'::procrastinate_job_status,
            attempts = attempts + 1,
            scheduled_at = retry_at,
            priority = COALESCE(new_priority, priority),
            queue_name = COALESCE(new_queue_name, queue_name),
            lock = COALESCE(new_lock, lock)
        WHERE id = job_id AND status IN ('doing', 'failed')
        RETURNING id INTO _job_id;
    END IF;

    IF _job_id IS NULL THEN
        RAISE 'Job was not found or has an invalid status to retry (job id: %)', job_id;
    END IF;

END;
$$;

CREATE FUNCTION procrastinate_notify_queue_job_inserted_v1()
    RETURNS trigger
    LANGUAGE plpgsql
AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'job_inserted', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;

CREATE FUNCTION procrastinate_notify_queue_abort_job_v1()
RETURNS trigger
    LANGUAGE plpgsql
AS $$
DECLARE
    payload TEXT;
BEGIN
    SELECT json_build_object('type', 'abort_job_requested', 'job_id', NEW.id)::text INTO payload;
	PERFORM pg_notify('procrastinate_queue_v1#' || NEW.queue_name, payload);
	PERFORM pg_notify('procrastinate_any_queue_v1', payload);
	RETURN NEW;
END;
$$;

CREATE FUNCTION procrastinate_trigger_function_status_events_insert_v1()
    RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'deferred'::procrastinate_job_event_type);
	RETURN NEW;
END;
$$;

CREATE FUNCTION procrastinate_trigger_function_status_events_update_v1()
    RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    WITH t AS (
        SELECT CASE
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND NEW.status = 'doing'::procrastinate_job_status
                THEN 'started'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'deferred_for_retry'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'failed'::procrastinate_job_status
                THEN 'failed'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'succeeded'::procrastinate_job_status
                THEN 'succeeded'::procrastinate_job_event_type
            WHEN OLD.status = 'todo'::procrastinate_job_status
                AND (
                    NEW.status = 'cancelled'::procrastinate_job_status
                    OR NEW.status = 'failed'::procrastinate_job_status
                    OR NEW.status = 'succeeded'::procrastinate_job_status
                )
                THEN 'cancelled'::procrastinate_job_event_type
            WHEN OLD.status = 'doing'::procrastinate_job_status
                AND NEW.status = 'aborted'::procrastinate_job_status
                THEN 'aborted'::procrastinate_job_event_type
            WHEN OLD.status = 'failed'::procrastinate_job_status
                AND NEW.status = 'todo'::procrastinate_job_status
                THEN 'retried'::procrastinate_job_event_type
            ELSE NULL
        END as event_type
    )
    INSERT INTO procrastinate_events(job_id, type)
        SELECT NEW.id, t.event_type
        FROM t
        WHERE t.event_type IS NOT NULL;
	RETURN NEW;
END;
$$;

CREATE FUNCTION procrastinate_trigger_function_scheduled_events_v1()
    RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type, at)
        VALUES (NEW.id, 'scheduled'::procrastinate_job_event_type, NEW.scheduled_at);

	RETURN NEW;
END;
$$;

CREATE FUNCTION procrastinate_trigger_abort_requested_events_procedure_v1()
    RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    INSERT INTO procrastinate_events(job_id, type)
        VALUES (NEW.id, 'abort_requested'::procrastinate_job_event_type);
    RETURN NEW;
END;
$$;

CREATE FUNCTION procrastinate_unlink_periodic_defers_v1()
    RETURNS trigger
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE procrastinate_periodic_defers
    SET job_id = NULL
    WHERE job_id = OLD.id;
    RETURN OLD;
END;
$$;

CREATE FUNCTION procrastinate_register_worker_v1()
    RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
AS $$
BEGIN
    RETURN QUERY
    INSERT INTO procrastinate_workers DEFAULT VALUES
    RETURNING procrastinate_workers.id;
END;
$$;

CREATE FUNCTION procrastinate_unregister_worker_v1(worker_id bigint)
    RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    DELETE FROM procrastinate_workers
    WHERE id = worker_id;
END;
$$;

CREATE FUNCTION procrastinate_update_heartbeat_v1(worker_id bigint)
    RETURNS void
    LANGUAGE plpgsql
AS $$
BEGIN
    UPDATE procrastinate_workers
    SET last_heartbeat = NOW()
    WHERE id = worker_id;
END;
$$;

CREATE FUNCTION procrastinate_prune_stalled_workers_v1(seconds_since_heartbeat float)
    RETURNS TABLE(worker_id bigint)
    LANGUAGE plpgsql
AS $$
BEGIN
    RETURN QUERY
    DELETE FROM procrastinate_workers
    WHERE last_heartbeat < NOW() - (seconds_since_heartbeat || 'SECOND')::INTERVAL
    RETURNING procrastinate_workers.id;
END;
$$;

-- Triggers

CREATE TRIGGER procrastinate_jobs_notify_queue_job_inserted_v1
    AFTER INSERT ON procrastinate_jobs
    FOR EACH ROW WHEN ((new.status = 'todo'::procrastinate_job_status))
    EXECUTE PROCEDURE procrastinate_notify_queue_job_inserted_v1();

CREATE TRIGGER procrastinate_jobs_notify_queue_job_aborted_v1
    AFTER UPDATE OF abort_requested ON procrastinate_jobs
    FOR EACH ROW WHEN ((old.abort_requested = false AND new.abort_requested = true AND new.status = 'doing'::procrastinate_job_status))
    EXECUTE PROCEDURE procrastinate_notify_queue_abort_job_v1();

CREATE TRIGGER procrastinate_trigger_status_events_update_v1
    AFTER UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW
    EXECUTE PROCEDURE procrastinate_trigger_function_status_events_update_v1();

CREATE TRIGGER procrastinate_trigger_status_events_insert_v1
    AFTER INSERT ON procrastinate_jobs
    FOR EACH ROW WHEN ((new.status = 'todo'::procrastinate_job_status))
    EXECUTE PROCEDURE procrastinate_trigger_function_status_events_insert_v1();

CREATE TRIGGER procrastinate_trigger_scheduled_events_v1
    AFTER UPDATE OR INSERT ON procrastinate_jobs
    FOR EACH ROW WHEN ((new.scheduled_at IS NOT NULL AND new.status = 'todo'::procrastinate_job_status))
    EXECUTE PROCEDURE procrastinate_trigger_function_scheduled_events_v1();

CREATE TRIGGER procrastinate_trigger_abort_requested_events_v1
    AFTER UPDATE OF abort_requested ON procrastinate_jobs
    FOR EACH ROW WHEN ((new.abort_requested = true))
    EXECUTE PROCEDURE procrastinate_trigger_abort_requested_events_procedure_v1();

CREATE TRIGGER procrastinate_trigger_delete_jobs_v1
    BEFORE DELETE ON procrastinate_jobs
    FOR EACH ROW EXECUTE PROCEDURE procrastinate_unlink_periodic_defers_v1();
-- <<< procrastinate

RESET search_path;

-- The queue is called from transactions whose search_path does not know it.
DO $$
DECLARE
  f regprocedure;
BEGIN
  FOR f IN SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'jobs'::regnamespace AND p.prokind = 'f' LOOP
    EXECUTE format('ALTER FUNCTION %s SET search_path = jobs, pg_catalog, pg_temp', f);
  END LOOP;
END $$;

-- The application uses the queue but never changes its shape.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'onhand_app') THEN
    GRANT USAGE ON SCHEMA jobs TO onhand_app;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA jobs TO onhand_app;
    GRANT USAGE ON ALL SEQUENCES IN SCHEMA jobs TO onhand_app;
  END IF;
END $$;
-- end of statement
-- Mails to be sent, written in the transaction of their cause. The text is emptied once sent: it may hold a link that opens a door.

CREATE TABLE mail_outbox (
  id uuid PRIMARY KEY,
  recipient text NOT NULL,
  subject text NOT NULL,
  body text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'given_up')),
  attempts int NOT NULL DEFAULT 0,
  next_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_error text,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  ended_at timestamptz
);
CREATE INDEX mail_outbox_waiting_idx ON mail_outbox (next_at) WHERE state = 'waiting';
-- end of statement
-- The stream: one head row, locked last, gives dense numbers in commit order.

INSERT INTO stream_head (one) VALUES (1) ON CONFLICT DO NOTHING;

-- Refuses what the append-only tables must never see.
CREATE OR REPLACE FUNCTION onhand_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = '42501';
END $$;

-- Makes the month partitions of an append-only table, from this month to `months` ahead, and its DEFAULT partition.
-- Each partition refuses UPDATE, DELETE and TRUNCATE by its own triggers. LIKE + ATTACH takes no long lock on the parent.
-- Rows that fell into the DEFAULT partition, because their month's was missing, are moved to where they belong: only then is
-- the parent locked for as long as that takes.
CREATE OR REPLACE FUNCTION onhand_partitions(parent text, months int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  def text := parent || '_default'; wanted date[]; month date; part text; made int := 0; astray boolean; within text;
BEGIN
  IF parent NOT IN ('outbox', 'posting', 'move', 'claim') THEN
    RAISE EXCEPTION 'not a partitioned table of ours: %', parent;
  END IF;
  IF to_regclass(def) IS NULL THEN
    PERFORM onhand_partition(parent, def);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I DEFAULT', parent, def);
    made := 1;
  END IF;
  EXECUTE format('SELECT array_agg(DISTINCT m) FROM (SELECT (date_trunc(''month'', now() AT TIME ZONE ''UTC'') + make_interval(months => n))::date AS m'
                 ' FROM generate_series(0, %s) n UNION ALL SELECT date_trunc(''month'', recorded_at AT TIME ZONE ''UTC'')::date FROM %I) x',
                 months, def) INTO wanted;
  FOREACH month IN ARRAY wanted LOOP
    part := parent || '_' || to_char(month, 'YYYY_MM');
    CONTINUE WHEN to_regclass(part) IS NOT NULL;
    PERFORM onhand_partition(parent, part);
    within := format('recorded_at >= %L AND recorded_at < %L', month || ' 00:00:00+00', (month + interval '1 month')::date || ' 00:00:00+00');
    EXECUTE format('SELECT EXISTS (SELECT FROM %I WHERE %s)', def, within) INTO astray;
    IF astray THEN
      EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, def);
      EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE %s', part, def, within);
      EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', def);
      EXECUTE format('DELETE FROM %I WHERE %s', def, within);
      EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', def);
    END IF;
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, part,
                   month || ' 00:00:00+00', (month + interval '1 month')::date || ' 00:00:00+00');
    IF astray THEN
      EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I DEFAULT', parent, def);
    END IF;
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;

-- One partition, not attached yet, with its triggers.
CREATE OR REPLACE FUNCTION onhand_partition(parent text, part text) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
  IF parent <> 'outbox' THEN
    EXECUTE format('CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON %I FOR EACH ROW EXECUTE FUNCTION onhand_refuse()', part);
  END IF;
  EXECUTE format('CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION onhand_refuse()', part);
END $$;

-- Writes events of a transaction that touches no stock; locks the head.
CREATE OR REPLACE FUNCTION onhand_emit(ids uuid[], types text[], subjects text[], sites uuid[], times timestamptz[],
                                       keys text[], datas text[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  first bigint; at timestamptz;
BEGIN
  UPDATE stream_head SET event_n = event_n + cardinality(ids),
                         last_recorded_at = greatest(clock_timestamp(), last_recorded_at)
    RETURNING event_n - cardinality(ids), last_recorded_at INTO first, at;
  INSERT INTO outbox (event_n, recorded_at, happened_at, id, site, type, subject, partition_key, data)
    SELECT first + n, at, t, id, site, typ, subject, key, data
    FROM unnest(ids, types, subjects, sites, times, keys, datas) WITH ORDINALITY AS e(id, typ, subject, site, t, key, data, n);
  RETURN first + cardinality(ids);
END $$;

-- Says that something the ledger remembers of places has changed.
CREATE OR REPLACE FUNCTION onhand_bump_directory() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  UPDATE stream_head SET directory_epoch = directory_epoch + 1;
$$;
-- end of statement
-- The audit log only grows: whoever asks, rows are never changed, removed or truncated.

DROP TRIGGER IF EXISTS refuse_change ON audit;
CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION onhand_refuse();

DROP TRIGGER IF EXISTS refuse_truncate ON audit;
CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION onhand_refuse();
-- end of statement
-- Rows of the audit log that the posting lane writes with its batch, over column arrays of equal length (as pos/sql/riders.sql).
CREATE OR REPLACE FUNCTION rider_audit(
  ids uuid[], instants timestamptz[], actor_ids uuid[], actor_kinds text[], actor_names text[], actions text[], entities text[],
  entity_ids text[], requests text[], request_ids text[], ips text[], all_changes jsonb[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit (id, at, actor_id, actor_kind, actor_name, action, entity, entity_id, request, request_id, ip, changes)
    SELECT ids[n], instants[n], actor_ids[n], actor_kinds[n], actor_names[n], actions[n], entities[n], entity_ids[n],
           requests[n], request_ids[n], ips[n], all_changes[n]
      FROM generate_series(1, cardinality(ids)) AS n;
END $$;
-- end of statement
-- The one write path of the ledger. `ledger_guard` guards and updates both grains of level, `ledger_write` takes the stream head
-- last and writes keys, postings, lines and events. Array arguments of one group have equal length; keys come in lock order.
-- Errors: OH001 a guard failed, 23505 an id acted before (both: take the locked path); OH002 the directory is out of date;
-- OH003 a serial number would be on hand twice; OH004 a level was never seen: let the lock functions insert it, and try again.

-- Locks level rows in key order, inserting unseen ones as zero first. Rows of variants or locations that do not exist are
-- missing from the answer. First all that is unseen, then the locks: who inserted one while holding a lock on another would
-- deadlock with who found them in the other order.
CREATE OR REPLACE FUNCTION ledger_lock_levels(
  variants uuid[], locations uuid[], lots uuid[], conditions int2[],
  OUT tids tid[], OUT ns bigint[], OUT on_hand bigint[], OUT allocated bigint[], OUT overdrawn bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM unnest(variants, locations, lots, conditions) AS k(variant, location, lot, condition)
              WHERE NOT EXISTS (SELECT FROM level l WHERE l.variant = k.variant AND l.location = k.location
                                   AND l.lot = k.lot AND l.condition = k.condition)) THEN
    INSERT INTO level (variant, location, lot, condition)
      SELECT k.variant, k.location, k.lot, k.condition
        FROM unnest(variants, locations, lots, conditions) WITH ORDINALITY AS k(variant, location, lot, condition, n)
        JOIN variant v ON v.id = k.variant JOIN location p ON p.id = k.location
       WHERE NOT EXISTS (SELECT FROM level l WHERE l.variant = k.variant AND l.location = k.location
                            AND l.lot = k.lot AND l.condition = k.condition)
       ORDER BY k.n ON CONFLICT DO NOTHING;
  END IF;
  SELECT array_agg(x.tid), array_agg(x.n), array_agg(x.on_hand), array_agg(x.allocated), array_agg(x.overdrawn)
    INTO tids, ns, on_hand, allocated, overdrawn
    FROM (SELECT l.ctid AS tid, k.n, l.on_hand, l.allocated, l.overdrawn
            FROM unnest(variants, locations, lots, conditions) WITH ORDINALITY AS k(variant, location, lot, condition, n)
            JOIN level l ON l.variant = k.variant AND l.location = k.location AND l.lot = k.lot AND l.condition = k.condition
           ORDER BY k.n FOR UPDATE OF l) x;
END $$;

-- The same for site levels.
CREATE OR REPLACE FUNCTION ledger_lock_sites(
  variants uuid[], sites uuid[],
  OUT tids tid[], OUT ns bigint[], OUT sellable bigint[], OUT reserved bigint[], OUT overdrawn bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM unnest(variants, sites) AS k(variant, site)
              WHERE NOT EXISTS (SELECT FROM site_level s WHERE s.variant = k.variant AND s.site = k.site)) THEN
    INSERT INTO site_level (variant, site)
      SELECT k.variant, k.site FROM unnest(variants, sites) WITH ORDINALITY AS k(variant, site, n)
        JOIN variant v ON v.id = k.variant JOIN location p ON p.id = k.site
       WHERE NOT EXISTS (SELECT FROM site_level s WHERE s.variant = k.variant AND s.site = k.site)
       ORDER BY k.n ON CONFLICT DO NOTHING;
  END IF;
  SELECT array_agg(x.tid), array_agg(x.n), array_agg(x.sellable), array_agg(x.reserved), array_agg(x.overdrawn)
    INTO tids, ns, sellable, reserved, overdrawn
    FROM (SELECT s.ctid AS tid, k.n, s.sellable, s.reserved, s.overdrawn
            FROM unnest(variants, sites) WITH ORDINALITY AS k(variant, site, n)
            JOIN site_level s ON s.variant = k.variant AND s.site = k.site
           ORDER BY k.n FOR UPDATE OF s) x;
END $$;

-- Guards and updates both grains, a row at a time in key order: the numbers are the outer side of a nested loop, so levels are
-- locked in the order given (the settings leave the planner no other plan). `judged`: the caller has locked and judged the
-- batch, so facts may overdraw. Answers the new site levels, for the events.
CREATE OR REPLACE FUNCTION ledger_guard(
  lv_variant uuid[], lv_location uuid[], lv_lot uuid[], lv_condition int2[], lv_net bigint[], lv_low bigint[],
  sl_variant uuid[], sl_site uuid[], sl_net bigint[], sl_claimed bigint[], sl_low bigint[], sl_dip bigint[], judged boolean,
  OUT new_sellable bigint[], OUT new_reserved bigint[], OUT new_overdrawn bigint[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off AS $$
DECLARE
  touched bigint;
BEGIN
  IF cardinality(lv_variant) > 0 THEN
    UPDATE level l SET on_hand = l.on_hand + lv_net[n], overdrawn = greatest(0, -(l.on_hand + lv_net[n]))
      FROM generate_series(1, cardinality(lv_variant)) AS n
     WHERE l.variant = lv_variant[n] AND l.location = lv_location[n] AND l.lot = lv_lot[n] AND l.condition = lv_condition[n]
       AND (judged OR lv_low[n] IS NULL OR l.on_hand - l.allocated + lv_low[n] >= 0);
    GET DIAGNOSTICS touched = ROW_COUNT;
    IF touched <> cardinality(lv_variant) THEN
      RAISE EXCEPTION 'guard' USING ERRCODE = CASE WHEN EXISTS (
        SELECT FROM unnest(lv_variant, lv_location, lv_lot, lv_condition) AS k(variant, location, lot, condition)
         WHERE NOT EXISTS (SELECT FROM level l WHERE l.variant = k.variant AND l.location = k.location
                              AND l.lot = k.lot AND l.condition = k.condition)) THEN 'OH004' ELSE 'OH001' END;
    END IF;
    IF array_remove(lv_lot, '00000000-0000-0000-0000-000000000000') <> '{}' THEN
      PERFORM ledger_serials(lv_lot, lv_net, judged);
    END IF;
  END IF;
  IF cardinality(sl_variant) > 0 THEN
    -- a line that leaves less than nothing free raises what is overdrawn, even where the batch gives as much before it
    WITH u AS (
      UPDATE site_level s SET sellable = s.sellable + sl_net[n], reserved = s.reserved + sl_claimed[n],
                              overdrawn = greatest(0, s.reserved + sl_claimed[n] - s.sellable - sl_net[n])
        FROM generate_series(1, cardinality(sl_variant)) AS n
       WHERE s.variant = sl_variant[n] AND s.site = sl_site[n]
         AND (judged OR s.sellable - s.reserved + least(sl_low[n], sl_dip[n], 0) >= 0
              OR (sl_low[n] IS NULL AND sl_dip[n] IS NULL))
      RETURNING n, s.sellable, s.reserved, s.overdrawn)
    SELECT count(*), array_agg(o.sellable), array_agg(o.reserved), array_agg(o.overdrawn)
      INTO touched, new_sellable, new_reserved, new_overdrawn FROM (SELECT * FROM u ORDER BY n) o;
    IF touched <> cardinality(sl_variant) THEN
      RAISE EXCEPTION 'guard' USING ERRCODE = CASE WHEN EXISTS (
        SELECT FROM unnest(sl_variant, sl_site) AS k(variant, site)
         WHERE NOT EXISTS (SELECT FROM site_level s WHERE s.variant = k.variant AND s.site = k.site)) THEN 'OH004' ELSE 'OH001' END;
    END IF;
  END IF;
END $$;

-- A quantity in smallest units as a decimal string of its unit.
CREATE OR REPLACE FUNCTION onhand_decimal(quantity bigint, decimals int2) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN decimals = 0 THEN quantity::text ELSE round(quantity / 10::numeric ^ decimals, decimals)::text END
$$;

-- Takes the stream head (the last lock) and writes keys, postings, lines and events under it.
CREATE OR REPLACE FUNCTION ledger_write(
  epoch bigint,
  ids uuid[], digests bytea[], callers uuid[], kinds text[], source_types text[], source_ids uuid[], actors uuid[],
  devices uuid[], happened timestamptz[], reverses_ids uuid[], reasons text[],
  m_posting int4[], m_line int4[], m_variant uuid[], m_lot uuid[], m_from uuid[], m_from_condition int2[], m_from_kept bool[],
  m_to uuid[], m_to_condition int2[], m_to_kept bool[], m_quantity bigint[], m_cost numeric[], m_currency text[],
  c_posting int4[], c_line int4[], c_reservation uuid[], c_variant uuid[], c_site uuid[], c_quantity bigint[],
  e_id uuid[], e_type text[], e_subject text[], e_site uuid[], e_happened timestamptz[], e_key text[], e_data text[],
  l_id uuid[], l_label text[], l_decimals int2[], l_variant uuid[], l_site uuid[], l_net bigint[],
  l_sellable bigint[], l_reserved bigint[], l_overdrawn bigint[],
  OUT first_seq bigint, OUT at timestamptz, OUT last_event bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  postings int := cardinality(ids); events int := cardinality(e_id); levels int := cardinality(l_id);
  present bigint; first_event bigint;
BEGIN
  UPDATE stream_head SET posting_n = posting_n + postings, event_n = event_n + events + levels,
                         last_recorded_at = greatest(clock_timestamp(), last_recorded_at)
    RETURNING posting_n - postings, event_n - events - levels, last_recorded_at, directory_epoch
    INTO first_seq, first_event, at, present;
  IF epoch <> present THEN RAISE EXCEPTION 'directory' USING ERRCODE = 'OH002'; END IF;
  INSERT INTO posting_key (id, caller, seq, recorded_at, digest)
    SELECT ids[n], callers[n], first_seq + n, at, digests[n] FROM generate_series(1, postings) AS n;
  IF array_remove(reverses_ids, NULL) <> '{}' THEN
    INSERT INTO reversal (original, by)
      SELECT original, id FROM unnest(reverses_ids, ids) AS r(original, id) WHERE original IS NOT NULL;
  END IF;
  INSERT INTO posting (seq, recorded_at, happened_at, id, source_id, actor, device, reverses, kind, source_type, reason)
    SELECT first_seq + n, at, happened[n], ids[n], source_ids[n], actors[n], devices[n], reverses_ids[n], kinds[n],
           source_types[n], reasons[n]
      FROM generate_series(1, postings) AS n;
  IF cardinality(m_posting) > 0 THEN
    INSERT INTO move (seq, recorded_at, happened_at, variant, lot, from_location, to_location, quantity, line,
                      from_condition, to_condition, from_kept, to_kept, unit_cost, currency)
      SELECT first_seq + m_posting[n], at, happened[m_posting[n]], m_variant[n], m_lot[n], m_from[n], m_to[n], m_quantity[n],
             m_line[n], m_from_condition[n], m_to_condition[n], m_from_kept[n], m_to_kept[n], m_cost[n], m_currency[n]
        FROM generate_series(1, cardinality(m_posting)) AS n;
  END IF;
  IF cardinality(c_posting) > 0 THEN
    INSERT INTO claim (seq, recorded_at, reservation, variant, site, quantity, line)
      SELECT first_seq + c_posting[n], at, c_reservation[n], c_variant[n], c_site[n], c_quantity[n], c_line[n]
        FROM generate_series(1, cardinality(c_posting)) AS n;
  END IF;
  IF events > 0 THEN
    INSERT INTO outbox (event_n, recorded_at, happened_at, id, site, type, subject, partition_key, data)
      SELECT first_event + n, at, e_happened[n], e_id[n], e_site[n], e_type[n], e_subject[n], e_key[n], e_data[n]
        FROM generate_series(1, events) AS n;
  END IF;
  IF levels > 0 THEN
    INSERT INTO outbox (event_n, recorded_at, happened_at, id, site, type, subject, partition_key, data)
      SELECT first_event + events + n, at, at, l_id[n], l_site[n], 'stock.level_changed', 'variant/' || l_variant[n],
             l_variant[n] || '/' || l_site[n],
             '{' || l_label[n] || ',"sellable":"' || onhand_decimal(l_sellable[n], l_decimals[n])
             || '","reserved":"' || onhand_decimal(l_reserved[n], l_decimals[n])
             || '","available":"' || onhand_decimal(l_sellable[n] - l_reserved[n], l_decimals[n])
             || '","overdrawn":"' || onhand_decimal(l_overdrawn[n], l_decimals[n])
             || '","delta":"' || onhand_decimal(l_net[n], l_decimals[n]) || '","seq":"' || first_seq + postings || '"}'
        FROM generate_series(1, levels) AS n;
  END IF;
  last_event := first_event + events + levels;
END $$;

-- Signed entries, as people who audit stock expect them: −from and +to; the sum per variant and place is the level.
CREATE OR REPLACE VIEW ledger_entry AS
  SELECT seq, line, recorded_at, happened_at, variant, lot, from_location AS location, from_condition AS condition,
         -quantity AS quantity, from_kept AS kept, unit_cost, currency FROM move
  UNION ALL
  SELECT seq, line, recorded_at, happened_at, variant, lot, to_location, to_condition, quantity, to_kept, unit_cost, currency
    FROM move;
-- end of statement
-- Reservations that the lane writes with their claims, over column arrays of equal length (as pos/sql/riders.sql).
CREATE OR REPLACE FUNCTION rider_reservation(
  ids uuid[], kinds text[], refs text[], channels uuid[], ends timestamptz[], makers uuid[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO reservation (id, kind, reference, channel_id, expires_at, created_by)
    SELECT ids[n], kinds[n], refs[n], channels[n], ends[n], makers[n] FROM generate_series(1, cardinality(ids)) AS n;
END $$;

-- Their lines.
CREATE OR REPLACE FUNCTION rider_reservation_line(
  reservations uuid[], lines int4[], variants uuid[], sites uuid[], policies text[], requests bigint[], claims bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO reservation_line (reservation, line, variant, site, policy, requested, claimed)
    SELECT reservations[n], lines[n], variants[n], sites[n], policies[n], requests[n], claims[n]
      FROM generate_series(1, cardinality(reservations)) AS n;
END $$;
-- end of statement
-- A serial number is a lot of one unit. `serial` says how many of it lie in places that keep stock: 0 or 1, below zero where a
-- fact said twice that it left; never 2. Called by `ledger_guard` only when a batch names lots, so other goods pay nothing.
-- Errors: OH003 it would be on hand twice; OH001 (not judged) a fact takes what is not there: take the locked path.
CREATE OR REPLACE FUNCTION ledger_serials(lots uuid[], nets bigint[], judged boolean) RETURNS void
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO serial AS s (lot, on_hand)
    SELECT l.id, sum(k.net) FROM unnest(lots, nets) AS k(lot, net) JOIN lot l ON l.id = k.lot AND l.kind = 'serial'
     GROUP BY l.id HAVING sum(k.net) <> 0 ORDER BY l.id
    ON CONFLICT (lot) DO UPDATE SET on_hand = s.on_hand + excluded.on_hand;
  IF FOUND AND NOT judged AND EXISTS (SELECT FROM serial WHERE lot = ANY (lots) AND on_hand < 0) THEN
    RAISE EXCEPTION 'guard' USING ERRCODE = 'OH001';
  END IF;
EXCEPTION WHEN check_violation THEN
  RAISE EXCEPTION 'serial' USING ERRCODE = 'OH003';
END $$;
-- end of statement
-- Documents of the point of sale that the lane writes with its batch, a row each over column arrays of equal length. Functions,
-- because PL/pgSQL keeps an array expanded and reads array[n] at once, where unnest fills a tuplestore for each column
-- (docs/why/two-halves.md). They run with the caller's rights.

-- Sales.
CREATE OR REPLACE FUNCTION rider_sale(
  ids uuid[], registers uuid[], locations uuid[], sites uuid[], happened timestamptz[], actors uuid[], customers uuid[],
  refunds_of uuid[], nets bigint[], taxes bigint[], discounts bigint[], totals bigint[], all_units bigint[], line_counts int4[],
  currencies text[], numbers text[], states text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sale (id, register, location, site, happened_at, actor, customer, refund_of, net, tax, discount, total, units,
                    line_count, currency, number, state)
    SELECT ids[n], registers[n], locations[n], sites[n], happened[n], actors[n], customers[n], refunds_of[n], nets[n], taxes[n],
           discounts[n], totals[n], all_units[n], line_counts[n], currencies[n], numbers[n], states[n]
      FROM generate_series(1, cardinality(ids)) AS n;
END $$;

-- Their lines.
CREATE OR REPLACE FUNCTION rider_sale_line(
  sales uuid[], lines int4[], variants uuid[], quantities bigint[], nets bigint[], taxes bigint[], discounts bigint[],
  totals bigint[], unit_prices numeric[], codes text[], told_quantities text[], descriptions text[], lot_codes text[],
  serial_numbers text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO sale_line (sale, line, variant, quantity, net, tax, discount, total, unit_price, code, told_quantity, description,
                         lot_code, serial_number)
    SELECT sales[n], lines[n], variants[n], quantities[n], nets[n], taxes[n], discounts[n], totals[n], unit_prices[n], codes[n],
           told_quantities[n], descriptions[n], lot_codes[n], serial_numbers[n]
      FROM generate_series(1, cardinality(sales)) AS n;
END $$;

-- How they were paid.
CREATE OR REPLACE FUNCTION rider_tender(
  sales uuid[], lines int4[], amounts bigint[], kinds text[], refs text[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tender (sale, line, amount, kind, reference)
    SELECT sales[n], lines[n], amounts[n], kinds[n], refs[n] FROM generate_series(1, cardinality(sales)) AS n;
END $$;
-- end of statement
SELECT onhand_partitions('outbox', 3)
-- end of statement
SELECT onhand_partitions('posting', 3)
-- end of statement
SELECT onhand_partitions('move', 3)
-- end of statement
SELECT onhand_partitions('claim', 3)
-- end of statement
-- for the application role
GRANT USAGE ON SCHEMA public TO "onhand_app"
-- end of statement
-- for the application role
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "onhand_app"
-- end of statement
-- for the application role
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "onhand_app"
-- end of statement
-- for the application role
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO "onhand_app"
-- end of statement
-- for the application role
DO $do$ DECLARE part regclass; BEGIN
  FOR part IN SELECT c.oid FROM pg_class c LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
               WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
                 AND (c.relname = ANY ('{stream_head,outbox,posting,move,claim,level,site_level,posting_key,reversal,serial,alembic_version}') OR i.inhparent = ANY ('{outbox,posting,move,claim}'::regclass[]))
  LOOP EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON %s FROM "onhand_app"', part); END LOOP;
END $do$
-- end of statement
-- for the application role
REVOKE UPDATE, DELETE, TRUNCATE ON audit FROM "onhand_app"
-- end of statement
