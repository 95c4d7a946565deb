-- The archive of one topic's chats.
--
-- Partitioned by hash: both unique keys contain chat_id, which partitioning
-- by time would not allow.  Old messages are deleted in batches by timestamp.

create table messages (
    chat_id      text         not null,
    epoch        bigint       not null,
    seq          bigint       not null,
    sender       text         not null,
    cid          text,                      -- null: none, or dup_of says whose
    message      json         not null,     -- as sent: jsonb would rewrite
                                            -- numbers and refuse \u0000
    "timestamp"  timestamptz  not null,
    enc          text,                      -- base64: the message is octets
    prev_epoch   bigint,                    -- the position before this one,
    prev_seq     bigint,                    -- where the producer told it
    dup_epoch    bigint,                    -- a repetition: the position of
    dup_of       bigint,                    -- the first with the same cid
    refused      text,                      -- why members never saw it
    unique (chat_id, epoch, seq),
    unique (chat_id, sender, cid)
) partition by hash (chat_id);

do $$
begin
    for i in 0 .. 15 loop
        execute format('create table messages_%s partition of messages '
                       'for values with (modulus 16, remainder %s)', i, i);
    end loop;
end
$$;

-- How far each partition of the topic is archived: next is the offset to
-- fetch next, -1 before the first.  Written in the transaction that stores
-- the messages, and only by who read from exactly there.

create table progress (
    topic        text         not null,
    partition    integer      not null,
    epoch        bigint       not null,
    next         bigint       not null,
    partitions   integer      not null,     -- of the topic
    updated      timestamptz  not null default now(),
    primary key (topic, partition)
);

-- Records that are no messages; of long ones the beginning is kept.

create table bad_records (
    topic        text         not null,
    partition    integer      not null,
    epoch        bigint       not null,
    "offset"     bigint       not null,
    reason       text         not null,
    size         bigint       not null,     -- of the whole value
    key          bytea,
    value        bytea,
    "timestamp"  timestamptz  not null,
    primary key (topic, partition, epoch, "offset")
);
