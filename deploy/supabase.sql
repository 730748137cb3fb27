-- Tiercast beside a Supabase project: run it once in the SQL editor, part by part.

-- part: role
-- A role of its own, with one schema of its own. It makes and changes its tables there by itself, and nowhere else.
-- Put a long password of letters and digits here, and into the connection string.
create role tiercast login noinherit connection limit 30 password 'CHANGE-ME';
create schema tiercast;
grant usage, create on schema tiercast to tiercast;
-- One retrain reads every row; nobody should wait for longer than this for any statement.
alter role tiercast set statement_timeout = '120s';
-- What Supabase's API serves to browsers (anon, authenticated) sees nothing of it.
revoke all on schema tiercast from public;

-- part: table
-- The one table of yours that it reads, as it is, and never writes. Leave this part out where there is none.
grant usage on schema public to tiercast;
grant select on public.scraped_videos to tiercast;
-- With row level security on, a role without a policy sees no rows and no error: this one sees all, for reading.
do $$
begin
    if (select relrowsecurity from pg_class where oid = 'public.scraped_videos'::regclass) then
        create policy tiercast_reads on public.scraped_videos for select to tiercast using (true);
    end if;
end $$;

-- part: cron
-- A weekly call of the cron route, for those who do not leave the schedule to the service. Needs the extensions pg_cron,
-- pg_net and supabase_vault (Database > Extensions). The secret is the service's cron_secret; it stands in no job.
select vault.create_secret('CHANGE-ME-TOO', 'tiercast_cron_secret', 'bearer of the cron route of Tiercast');
select cron.schedule(
    'tiercast-retrain',
    '0 3 * * 1',
    $job$
    select net.http_post(
        url := 'https://tiercast.example.com/v1/cron/retrain',
        body := '{}'::jsonb,
        headers := jsonb_build_object(
            'Content-Type', 'application/json',
            'Authorization', 'Bearer ' || (
                select decrypted_secret from vault.decrypted_secrets where name = 'tiercast_cron_secret'
            )
        ),
        timeout_milliseconds := 10000
    );
    $job$
);
-- What came of it: select id, status_code, content, error_msg from net._http_response order by id desc limit 5;
-- To end it:       select cron.unschedule('tiercast-retrain');
