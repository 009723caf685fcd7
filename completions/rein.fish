# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_rein_global_optspecs
    string join \n o/output= q/quiet v/verbose color= server= token-file= ca-file= context= h/help V/version
end

function __fish_rein_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_rein_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_rein_using_subcommand
    set -l cmd (__fish_rein_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c rein -n "__fish_rein_needs_command" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_needs_command" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_needs_command" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_needs_command" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_needs_command" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_needs_command" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_needs_command" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_needs_command" -s V -l version -d 'Print version'
complete -c rein -n "__fish_rein_needs_command" -f -a "status" -d 'Show what is wrong, what is in force and until when, what was changed lately and by whom'
complete -c rein -n "__fish_rein_needs_command" -f -a "top" -d 'Watch services, instances, switches, changes and alerts live, full screen'
complete -c rein -n "__fish_rein_needs_command" -f -a "switch" -d 'Look at switches and flip them'
complete -c rein -n "__fish_rein_needs_command" -f -a "service" -d 'Look at services, their instances and the calls between them; take traffic from instances'
complete -c rein -n "__fish_rein_needs_command" -f -a "alert" -d 'Look at alerts by priority, and why one stands where it stands'
complete -c rein -n "__fish_rein_needs_command" -f -a "silence" -d 'Look at silences, hush alerts for a while'
complete -c rein -n "__fish_rein_needs_command" -f -a "change" -d 'Look at changes, end or extend them, settle their conflicts'
complete -c rein -n "__fish_rein_needs_command" -f -a "undo" -d 'Take back your last act of the past hour: a layer, an end, an extension'
complete -c rein -n "__fish_rein_needs_command" -f -a "diagnose" -d 'Say where a symptom comes from, with the evidence, or that nothing stands out'
complete -c rein -n "__fish_rein_needs_command" -f -a "incident" -d 'Work on an incident: what was flipped for it, until when'
complete -c rein -n "__fish_rein_needs_command" -f -a "watch" -d 'Follow what happens, one line each, until interrupted'
complete -c rein -n "__fish_rein_needs_command" -f -a "mark" -d 'Record a change that was made elsewhere: rein mark deploy order v2.4 --by ci'
complete -c rein -n "__fish_rein_needs_command" -f -a "marker" -d 'Look at changes that were made elsewhere, as `rein mark` recorded them'
complete -c rein -n "__fish_rein_needs_command" -f -a "apply" -d 'Declare switches, services, backends, sources and rules from files; nothing is deleted'
complete -c rein -n "__fish_rein_needs_command" -f -a "diff" -d 'Show what `rein apply` would alter'
complete -c rein -n "__fish_rein_needs_command" -f -a "export" -d 'Print all declarations as files that `rein apply` takes'
complete -c rein -n "__fish_rein_needs_command" -f -a "backend" -d 'Look at backends: the real systems that Rein writes into'
complete -c rein -n "__fish_rein_needs_command" -f -a "plugin" -d 'Look at plugins, which adapt backends, or begin one of your own'
complete -c rein -n "__fish_rein_needs_command" -f -a "audit" -d 'Read the audit trail and verify it'
complete -c rein -n "__fish_rein_needs_command" -f -a "token" -d 'Make tokens, list and revoke them'
complete -c rein -n "__fish_rein_needs_command" -f -a "auth" -d 'Ask who you are and what you may do'
complete -c rein -n "__fish_rein_needs_command" -f -a "context" -d 'Remember servers and choose among them'
complete -c rein -n "__fish_rein_needs_command" -f -a "completions" -d 'Print a completion script for a shell'
complete -c rein -n "__fish_rein_needs_command" -f -a "server" -d 'Run a server: the API on --http, flags for services on --grpc'
complete -c rein -n "__fish_rein_needs_command" -f -a "demo" -d 'Run a food-delivery company on loopback, with a server, services and traffic'
complete -c rein -n "__fish_rein_using_subcommand status" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand status" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand status" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand status" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand status" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand status" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand status" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand status" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand status" -l exit-code -d 'End with 10 if anything wants a person: an alert fires, a service is unwell, a layer is in force or in conflict, a backend or a source of changes is silent, the server has trouble'
complete -c rein -n "__fish_rein_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand top" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand top" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand top" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand top" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand top" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand top" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand top" -l filter -d 'Only rows that hold this text' -r
complete -c rein -n "__fish_rein_using_subcommand top" -l every -d 'Draw this often at the least, 100ms to 1m; what altered is drawn at once' -r
complete -c rein -n "__fish_rein_using_subcommand top" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand top" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand top" -l once -d 'Print one picture and end'
complete -c rein -n "__fish_rein_using_subcommand top" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -f -a "list" -d 'List switches: state, until when, owner, who has got it'
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -f -a "show" -d 'Show one switch: owner, level, what is lost, its layers, who has got it'
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -f -a "off" -d 'Turn switches off for a while: preview, confirm, record, wait for proof'
complete -c rein -n "__fish_rein_using_subcommand switch; and not __fish_seen_subcommand_from list show off on" -f -a "on" -d 'Turn switches on again: name the layers that hold them off, and offer to end them'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from show" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from show" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from show" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from show" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from show" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l for -d 'How long it lasts, such as 30m or 1h30m [default: the server\'s]' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l incident -d 'The incident it belongs to [default: REIN_INCIDENT, else the one in use]' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l reason -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l percent -d 'Only this share of the traffic: the share that loses the feature' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l zone -d 'Only this zone; repeat for more' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l instance -d 'Only this instance; repeat for more' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l idempotency-key -d 'Send it under this key: repeating a command under its key does it once' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l end -d 'End this change, which holds the switch; repeat for more' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l supersede -d 'Lay an exception over this change; repeat for more' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l force -d 'Pass `needs` and `excludes`; the right switch:force is needed'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from off" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l for -d 'How long it lasts, such as 30m or 1h30m [default: the server\'s]' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l incident -d 'The incident it belongs to [default: REIN_INCIDENT, else the one in use]' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l reason -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l percent -d 'Only this share of the traffic: the share that loses the feature' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l zone -d 'Only this zone; repeat for more' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l instance -d 'Only this instance; repeat for more' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l idempotency-key -d 'Send it under this key: repeating a command under its key does it once' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l end -d 'End this change, which holds the switch; repeat for more' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l supersede -d 'Lay an exception over this change; repeat for more' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l force -d 'Pass `needs` and `excludes`; the right switch:force is needed'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand switch; and __fish_seen_subcommand_from on" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -f -a "list" -d 'List services: health, instances up by zone, versions, figures, firing alerts, active changes'
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -f -a "show" -d 'Show one service: its instances and how each does, who calls it and whom it calls, alerts, switches, changes'
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -f -a "graph" -d 'Show who calls whom, and how the calls go: a tree, or a picture with -o svg'
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -f -a "drain" -d 'Take all traffic from instances for a while: preview, confirm, record, wait for proof'
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -f -a "weigh" -d 'Lower the share of traffic that an instance gets, for a while'
complete -c rein -n "__fish_rein_using_subcommand service; and not __fish_seen_subcommand_from list show graph drain weigh accept-loss" -f -a "accept-loss" -d 'Say that instances which fell silent together are really gone'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from list" -l unwell -d 'Only those that are not well: some instance down or drained, below the floor, or an alert fires'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from show" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from show" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from show" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from show" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from show" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from graph" -l backend -d 'Only by this backend' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from graph" -l window -d 'Over how long [default: as each backend is configured]' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from graph" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from graph" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from graph" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from graph" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from graph" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from graph" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from graph" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from graph" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from graph" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l zone -d 'All instances in this zone, also those that join; goes with SERVICE' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l for -d 'How long it lasts, such as 30m or 1h30m [default: the server\'s]' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l incident -d 'The incident it belongs to [default: REIN_INCIDENT, else the one in use]' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l reason -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l idempotency-key -d 'Send it under this key: repeating a command under its key does it once' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l force -d 'Leave less than the floor; the right service:force is needed'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from drain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l zone -d 'All instances in this zone, also those that join; goes with SERVICE' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l for -d 'How long it lasts, such as 30m or 1h30m [default: the server\'s]' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l incident -d 'The incident it belongs to [default: REIN_INCIDENT, else the one in use]' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l reason -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l idempotency-key -d 'Send it under this key: repeating a command under its key does it once' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l force -d 'Leave less than the floor; the right service:force is needed'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from weigh" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -l reason -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand service; and __fish_seen_subcommand_from accept-loss" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand alert; and not __fish_seen_subcommand_from list explain" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand alert; and not __fish_seen_subcommand_from list explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand alert; and not __fish_seen_subcommand_from list explain" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand alert; and not __fish_seen_subcommand_from list explain" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand alert; and not __fish_seen_subcommand_from list explain" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand alert; and not __fish_seen_subcommand_from list explain" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand alert; and not __fish_seen_subcommand_from list explain" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand alert; and not __fish_seen_subcommand_from list explain" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand alert; and not __fish_seen_subcommand_from list explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand alert; and not __fish_seen_subcommand_from list explain" -f -a "list" -d 'List alerts that fire, most urgent first, symptoms folded under their likely cause'
complete -c rein -n "__fish_rein_using_subcommand alert; and not __fish_seen_subcommand_from list explain" -f -a "explain" -d 'Say why an alert stands where it stands: its points, what it is folded under, what under it'
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -l service -d 'Only what concerns this service' -r
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -l priority -d 'Only what is at least as urgent: P2 for P1 and P2' -r
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -l folded -d 'Show what is folded, silenced and inhibited too; -v does the same'
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from explain" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from explain" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from explain" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from explain" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from explain" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from explain" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from explain" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from explain" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand alert; and __fish_seen_subcommand_from explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -f -a "list" -d 'List silences, those of others too: what, until when, whose, how many alerts they hush'
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -f -a "show" -d 'Show one silence: what it hushes, since when, by whom; for Rein\'s own also the change'
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -f -a "add" -d 'Hush alerts for a while: preview, confirm, record, wait for proof'
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -f -a "extend" -d 'Move a silence\'s deadline later; it never revives one that is over'
complete -c rein -n "__fish_rein_using_subcommand silence; and not __fish_seen_subcommand_from list show add extend expire" -f -a "expire" -d 'End a silence before its time: what it hushes will be heard again'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from list" -l backend -d 'Only those of this backend' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from list" -l expired -d 'Also those that are over'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from show" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from show" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from show" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from show" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from show" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l alert -d 'Hush what this alert is one of: its labels, without instance and pod' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l for -d 'How long it lasts, such as 30m or 1h30m [default: the server\'s]' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l backend -d 'Only on this backend; repeat for more [default: all that hush alerts]' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l incident -d 'The incident it belongs to [default: REIN_INCIDENT, else the one in use]' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l reason -l comment -d 'Why: people read it in Alertmanager as the comment' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l idempotency-key -d 'Send it under this key: repeating a command under its key does it once' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l force -d 'Hush even all alerts, or those never to be hushed; the right silence:force is needed'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -l for -d 'By how much, such as 1h' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -l reason -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -l idempotency-key -d 'Send it under this key: repeating a command under its key does it once' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from extend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -l incident -d 'The incident it belongs to, for somebody else\'s [default: REIN_INCIDENT, else the one in use]' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -l reason -l comment -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -l idempotency-key -d 'Send it under this key: repeating a command under its key does it once' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand silence; and __fish_seen_subcommand_from expire" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -f -a "list" -d 'List changes, newest first'
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -f -a "show" -d 'Show one change: what it says, what was done to it, who has got it'
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -f -a "end" -d 'End a change before its deadline'
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -f -a "extend" -d 'Move a change\'s deadline later; it never revives one that is over'
complete -c rein -n "__fish_rein_using_subcommand change; and not __fish_seen_subcommand_from list show end extend resolve" -f -a "resolve" -d 'Settle a conflict: somebody else altered what Rein put into a backend'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l switch -d 'Only those over this switch' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l service -d 'Only those over instances or switches of this service' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l backend -d 'Only those that are written into this backend' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l incident -d 'Only those of this incident' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l actor -d 'Only those laid by this actor' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l limit -d 'At most this many [default: 200]' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -l active -d 'Only those that count now'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from show" -l key -d 'The change recorded under this idempotency key' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from show" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from show" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from show" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from show" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from show" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -l reason -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -l idempotency-key -d 'Send it under this key: repeating a command under its key does it once' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from end" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -l for -d 'By how much, such as 1h' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -l reason -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -l idempotency-key -d 'Send it under this key: repeating a command under its key does it once' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from extend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l reason -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l idempotency-key -d 'Send it under this key: repeating a command under its key does it once' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l reassert -d 'Write Rein\'s value over what is there'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l adopt -d 'Leave what is there, and end the change'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l restore -d 'Put back what was there before, and end the change'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand change; and __fish_seen_subcommand_from resolve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand undo" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand undo" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand undo" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand undo" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand undo" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand undo" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand undo" -l idempotency-key -d 'Send it under this key: repeating a command under its key does it once' -r
complete -c rein -n "__fish_rein_using_subcommand undo" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand undo" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand undo" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand undo" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand undo" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand undo" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand undo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand diagnose" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l from -d 'A directory, or files: metrics, graph.csv, target.json, changes.csv' -r -F
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l history -d 'Metrics of normal operation; repeat for more' -r -F
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l graph -d 'Who calls whom' -r -F
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l changes -d 'What was changed lately: time,node,by,what' -r -F
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l node -d 'The same as SERVICE' -r
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l over -d 'How much history is asked for, up to 30d; not with --from [default: 2h]' -r
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l step -d 'How far samples lie apart, up to 1h; not with --from [default: 1m]' -r
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l backend -d 'Only by this backend; not with --from' -r
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l metric -d 'In what it shows: latency, availability or saturation' -r
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l statistic -d 'Which statistic of it, such as Average or p99; without --from p50, p90 or p99' -r
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l at -d 'When it was noticed: seconds since 1970, or RFC 3339 [default, without --from: just now]' -r
complete -c rein -n "__fish_rein_using_subcommand diagnose" -l tune -d 'Multiply a constant, to see what hangs on it; repeat for more' -r
complete -c rein -n "__fish_rein_using_subcommand diagnose" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand diagnose" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand diagnose" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -f -a "use" -d 'Work on an incident from now on: it becomes the default of --incident'
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -f -a "show" -d 'Show an incident and its changes'
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -f -a "list" -d 'List incidents, newest first'
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -f -a "extend" -d 'Move the deadlines of all active changes of an incident later'
complete -c rein -n "__fish_rein_using_subcommand incident; and not __fish_seen_subcommand_from use show list extend close" -f -a "close" -d 'Close an incident: end its changes, newest first, and take no new ones'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from use" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from use" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from use" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from use" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from use" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from use" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from use" -l clear -d 'Work on none'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from use" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from use" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from use" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from show" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from show" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from show" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from show" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from show" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from list" -l open -d 'Only open ones'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -l for -d 'By how much, such as 1h' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -l reason -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from extend" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -l keep -d 'Leave this change in force until its own deadline; repeat for more' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -l pace -d 'Pause between one change and the next, such as 30s' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -l timeout -d 'How long to wait for proof' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -l no-wait -d 'Do not wait for proof that it is in force'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand incident; and __fish_seen_subcommand_from close" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand watch" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand watch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand watch" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand watch" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand watch" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand watch" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand watch" -l after -d 'Start after this event: EPOCH.REVISION, as an earlier watch printed it' -r
complete -c rein -n "__fish_rein_using_subcommand watch" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand watch" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand mark" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand mark" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand mark" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand mark" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand mark" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand mark" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand mark" -l by -d 'Who made the change [default: the holder of the token]' -r
complete -c rein -n "__fish_rein_using_subcommand mark" -l at -d 'When it was made: seconds since 1970, or RFC 3339 [default: now]' -r
complete -c rein -n "__fish_rein_using_subcommand mark" -l ago -d 'How long ago it was made' -r
complete -c rein -n "__fish_rein_using_subcommand mark" -l note -d 'Anything else worth knowing, such as a link' -r
complete -c rein -n "__fish_rein_using_subcommand mark" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand mark" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand mark" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand marker; and not __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand marker; and not __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand marker; and not __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand marker; and not __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand marker; and not __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand marker; and not __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand marker; and not __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand marker; and not __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand marker; and not __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand marker; and not __fish_seen_subcommand_from list" -f -a "list" -d 'List changes that were made elsewhere, newest first'
complete -c rein -n "__fish_rein_using_subcommand marker; and __fish_seen_subcommand_from list" -l since -d 'Made not longer ago than this' -r
complete -c rein -n "__fish_rein_using_subcommand marker; and __fish_seen_subcommand_from list" -l limit -d 'At most this many, 1 to 1000' -r
complete -c rein -n "__fish_rein_using_subcommand marker; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand marker; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand marker; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand marker; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand marker; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand marker; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand marker; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand marker; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand marker; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand apply" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand apply" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand apply" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand apply" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand apply" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand apply" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand apply" -s f -l file -d 'A file, a directory, or - for standard input; repeat for more' -r -F
complete -c rein -n "__fish_rein_using_subcommand apply" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand apply" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand apply" -l dry-run -d 'Let the server judge, and declare nothing'
complete -c rein -n "__fish_rein_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand diff" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand diff" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand diff" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand diff" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand diff" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand diff" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand diff" -s f -l file -d 'A file, a directory, or - for standard input; repeat for more' -r -F
complete -c rein -n "__fish_rein_using_subcommand diff" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand diff" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand diff" -l exit-code -d 'End with 10 if there are differences'
complete -c rein -n "__fish_rein_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand export" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand export" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand export" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand export" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand export" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand export" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand export" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand export" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -f -a "list" -d 'List backends: plugin, whether they answer, what Rein has put there'
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -f -a "show" -d 'Show one backend: configuration, plugin, what it can, every cell Rein has put something into'
complete -c rein -n "__fish_rein_using_subcommand backend; and not __fish_seen_subcommand_from list show check" -f -a "check" -d 'Look at a backend now, as a person would: every peer, its version, its clock'
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from show" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from show" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from show" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from show" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from show" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from check" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from check" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from check" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from check" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from check" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from check" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand backend; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -f -a "list" -d 'List plugins: those that run for a backend, and those that could'
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -f -a "show" -d 'Show one plugin: for which backends it runs, since when, how often it was started again'
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -f -a "logs" -d 'Show what the plugin of a backend wrote to its standard error, oldest first'
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -f -a "new" -d 'Begin a plugin of your own: a program that adapts a backend, with its test of what is promised'
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -f -a "serve" -d 'A plugin that is part of this program'
complete -c rein -n "__fish_rein_using_subcommand plugin; and not __fish_seen_subcommand_from list show logs new serve guard" -f -a "guard" -d 'The parent of a plugin that is not'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from show" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from show" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from show" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from show" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from show" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from show" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from logs" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from logs" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from logs" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from logs" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from logs" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from logs" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from logs" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from logs" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from new" -l lang -d 'What it is written in' -r -f -a "rust\t'Rust, on Rein\'s own crate'
python\t'Python, on grpcio'
go\t'Go, on grpc-go'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from new" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from new" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from new" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from new" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from new" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from new" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from new" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from new" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from serve" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from serve" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from serve" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from serve" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from serve" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from serve" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from guard" -l step -d 'Guard it, or become it' -r -f -a "guard\t'Stay, and kill it at the end'
run\t'Limit oneself and become it'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from guard" -l limits -d 'What it may use' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from guard" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from guard" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from guard" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from guard" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from guard" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from guard" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from guard" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from guard" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand plugin; and __fish_seen_subcommand_from guard" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -f -a "list" -d 'List who did what, newest first'
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -f -a "verify" -d 'Verify the audit trail entry by entry, against a key and heads kept outside'
complete -c rein -n "__fish_rein_using_subcommand audit; and not __fish_seen_subcommand_from list verify heads" -f -a "heads" -d 'Print the signing key and the signed heads, to be kept elsewhere: -o json > FILE'
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -l since -d 'Not older than this, such as 1h' -r
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -l limit -d 'At most this many [default: 200]' -r
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -l registrations -d 'Also that instances registered, and went'
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from verify" -l key -d 'The public key pinned outside, in hex, or a file that holds it' -r
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from verify" -l heads -d 'A file with signed heads kept outside' -r -F
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from verify" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from verify" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from verify" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from verify" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from verify" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from verify" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from verify" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from verify" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from heads" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from heads" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from heads" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from heads" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from heads" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from heads" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from heads" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from heads" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand audit; and __fish_seen_subcommand_from heads" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -f -a "create" -d 'Make a token; its secret is printed once, and never again'
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -f -a "list" -d 'List tokens, without their secrets'
complete -c rein -n "__fish_rein_using_subcommand token; and not __fish_seen_subcommand_from create list revoke" -f -a "revoke" -d 'Revoke a token at once'
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -l actor -d 'Who will hold it; the name audit entries show' -r
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -l role -d 'viewer, operator, admin, client for a service that only reads its flags, or reporter for a pipeline that only records its changes' -r
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -l pattern -d 'What it is good for: *, SERVICE/* or SERVICE/SWITCH' -r
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -l for -d 'How long it is good, from 1m to 365d' -r
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from revoke" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from revoke" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from revoke" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from revoke" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from revoke" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from revoke" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from revoke" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from revoke" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from revoke" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand token; and __fish_seen_subcommand_from revoke" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami" -f -a "can-i" -d 'Ask whether you may do something: 0 if so, 6 if not'
complete -c rein -n "__fish_rein_using_subcommand auth; and not __fish_seen_subcommand_from can-i whoami" -f -a "whoami" -d 'Show who you are to the server, in which role, until when'
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from can-i" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from can-i" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from whoami" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from whoami" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from whoami" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from whoami" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from whoami" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from whoami" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from whoami" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from whoami" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand auth; and __fish_seen_subcommand_from whoami" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -f -a "add" -d 'Remember a server under a name, or alter what is remembered'
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -f -a "use" -d 'Make a context the current one'
complete -c rein -n "__fish_rein_using_subcommand context; and not __fish_seen_subcommand_from add use list" -f -a "list" -d 'List the servers remembered, and which one is current'
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from add" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from add" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from add" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from add" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from add" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from add" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from use" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from use" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from use" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from use" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from use" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from use" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from use" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from use" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from use" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from list" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from list" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from list" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from list" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from list" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand context; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand completions" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand completions" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand completions" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand completions" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand completions" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand completions" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand completions" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand completions" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l data-dir -d 'Where state is kept [default: $XDG_DATA_HOME/rein, else ~/.local/share/rein]' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l http -d 'Where the API listens [default: 127.0.0.1:7070]' -r
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l grpc -d 'Where the flagd door listens [default: 127.0.0.1:8015]' -r
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l config -d 'Read this TOML file; flags win over it' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l store -d 'Share state with other servers: etcd://HOST:PORT,HOST:PORT[/PREFIX] [default: a file in --data-dir]' -r
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l name -d 'What the other servers call this one [default: where its API listens]' -r
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l advertise -d 'Where the other servers reach its API [default: where it listens]' -r
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l log-format -d 'How log lines are written' -r -f -a "text\t'For people'
json\t'For programs, one object a line'"
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -l observe -d 'Write into no backend: only look at what is there'
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -f -a "status" -d 'Show how the server is: ready, for how long, what troubles it'
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -f -a "backup" -d 'Keep everything a server knows, but no secret, in a file'
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -f -a "restore" -d 'Bring a backup into an empty store'
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -f -a "accept" -d 'Let a held store go on: one that was restored, or is behind what it has shipped'
complete -c rein -n "__fish_rein_using_subcommand server; and not __fish_seen_subcommand_from status backup restore accept check-config" -f -a "check-config" -d 'Say whether a configuration file is right, with the path of every field that is not'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from status" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from status" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from status" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from status" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from status" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from status" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -l data-dir -d 'Where it is kept' -r -f -a "(__fish_complete_directories)"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -l store -d 'Where servers share it: etcd://HOST:PORT,HOST:PORT[/PREFIX]' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -l config -d 'The server\'s TOML file, which names the store' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from backup" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -l data-dir -d 'Where it is kept' -r -f -a "(__fish_complete_directories)"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -l store -d 'Where servers share it: etcd://HOST:PORT,HOST:PORT[/PREFIX]' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -l config -d 'The server\'s TOML file, which names the store' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -l end -d 'End this change first, so that it does not come back; may be given again' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -l reason -d 'Why' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -l dry-run -d 'Show what would happen and stop'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -s y -l yes -d 'Do not ask'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from accept" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from check-config" -l config -d 'The TOML file' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from check-config" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from check-config" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from check-config" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from check-config" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from check-config" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from check-config" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from check-config" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from check-config" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand server; and __fish_seen_subcommand_from check-config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c rein -n "__fish_rein_using_subcommand demo" -s o -l output -d 'What is printed [default: table]' -r -f -a "table\t'For people'
wide\t'For people, with more columns'
json\t'The API\'s answer'
yaml\t'The API\'s answer'
name\t'Names or ids only, one a line'
svg\t'A picture, where there is one'"
complete -c rein -n "__fish_rein_using_subcommand demo" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal'
always\t'Even into a pipe'
never\t'Not at all'"
complete -c rein -n "__fish_rein_using_subcommand demo" -l server -d 'The server\'s URL; also REIN_SERVER' -r
complete -c rein -n "__fish_rein_using_subcommand demo" -l token-file -d 'A file that holds the token; also REIN_TOKEN_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand demo" -l ca-file -d 'Believe only certificates from this PEM file; also REIN_CA_FILE' -r -F
complete -c rein -n "__fish_rein_using_subcommand demo" -l context -d 'Use this context instead of the current one' -r
complete -c rein -n "__fish_rein_using_subcommand demo" -l for -d 'Stop by itself after this time, such as 20s' -r
complete -c rein -n "__fish_rein_using_subcommand demo" -l script -d 'Type the commands of this file, then report' -r -F
complete -c rein -n "__fish_rein_using_subcommand demo" -l rps -d 'Orders per second' -r
complete -c rein -n "__fish_rein_using_subcommand demo" -l targets -d 'Write where every instance shows its metrics, as Prometheus reads it (file_sd_configs)' -r -F
complete -c rein -n "__fish_rein_using_subcommand demo" -l with -d 'Start these beside it, where they are installed: figures and a call graph by Prometheus, alerts and silences by Alertmanager' -r -f -a "prometheus\t'Measures the company'
alertmanager\t'Hears its alerts'"
complete -c rein -n "__fish_rein_using_subcommand demo" -s q -l quiet -d 'Say less: data and errors only'
complete -c rein -n "__fish_rein_using_subcommand demo" -s v -l verbose -d 'Say more: which server, and why that one'
complete -c rein -n "__fish_rein_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
