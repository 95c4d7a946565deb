-- What a user has sent that still has its text, for who erases it.  While the
-- index is made, nothing is archived.

create index messages_sender on messages (sender, chat_id, epoch, seq)
    where retracted is null;
