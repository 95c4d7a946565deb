-- What became of messages: the last change counts, and a retraction is the
-- last one there is; then message is null, the text is not kept.

alter table messages
    add column edited         timestamptz,  -- when it was edited last
    add column retracted      timestamptz,  -- when it was retracted
    add column changed_by     text,         -- who did it; null: a server
    add column changed_epoch  bigint,       -- the change's place in the
    add column changed_seq    bigint;       -- topic: epoch, offset + 1

-- In a topic of live chats a change may come before its message, which
-- another node sent: it waits here.

create table early_changes (
    chat_id        text         not null,
    epoch          bigint       not null,   -- of the message
    seq            bigint       not null,
    changed_by     text,
    moderate       boolean      not null,   -- whoever sent the message
    message        json,                    -- null: it is retracted
    enc            text,
    "timestamp"    timestamptz  not null,
    changed_epoch  bigint       not null,
    changed_seq    bigint       not null,
    primary key (chat_id, epoch, seq)
);
