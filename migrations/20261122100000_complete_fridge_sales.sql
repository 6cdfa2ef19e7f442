-- What fridge sales left open. Nothing was released before this: it expands and contracts at once.

-- Since when the door may have been asked to open: what is not heard of for too long afterwards is not waited for.
alter table transaction add column unlock_sent_at timestamptz;
update transaction set unlock_sent_at = updated_at where was_unlocked;
alter table transaction drop column was_unlocked;

-- A door that was asked to open, and refused as it seemed, may have opened all the same.
insert into transaction_status_edge (from_status, to_status) values
    ('failed', 'unresolved'),
    ('failed', 'completed');

-- Two may want to tell the same alert: the holder of a websocket and the run of its sale, or two attempts. Whoever claims
-- it tells it; when he does not get to the end, the claim does.
alter table alert add column claimed_until timestamptz;

-- A reader of the reports reads: PUBLIC has more than that by default.
revoke create on schema public from public;
do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$;
