# ---- shop-db.nomad.hcl
# Made by `orch export nomad` of /srv/shop/orch.yaml: nomad job run FILE, for each file.
# a shop, with all that a manifest can say
# The driver raw_exec runs processes of the host; it must be enabled on the clients. Nomad fills in ${NAME} in commands
#   and variables, where it knows the name, before a shell sees it.
# "stop" is not carried over: there is no deadline for all jobs; each task has its kill_timeout
# "host" is not carried over: clients have their own thresholds; gc_disk_usage_threshold of the client
# the database
# orch.yaml:20: "ulimits" of db is not carried over: a task has the client's; LimitNOFILE= of Nomad's own unit
# orch.yaml:21: "resources.cpus" of db: Nomad counts MHz: 1 CPU is written as 1000
# orch.yaml:21: "resources.pids" of db is not carried over: there is no such limit
# orch.yaml:21: "resources.files" of db is not carried over: there is no such limit
# orch.yaml:22: "logging.stdout" of db is not carried over: Nomad has the log; nomad alloc logs ALLOC
# orch.yaml:22: "logging.stderr" of db is not carried over: Nomad has the log; nomad alloc logs -stderr ALLOC
# orch.yaml:22: "logging.rotate.compress" of db is not carried over: Nomad does not
# orch.yaml:17: "ports.host" of db: Nomad has networks of hosts: host_network
# orch.yaml:10: "restart" of db: a job of type service is started again also when it ends well; make it a task
# orch.yaml:13: "user" of db is not carried over: a task has the group of its user
job "shop-db" {
  type = "service"
  update {
    max_parallel = 1
    healthy_deadline = "1m"
    progress_deadline = "2m"
  }
  group "db" {
    count = 1
    network {
      port "sql" {
        static = 5432
      }
    }
    restart {
      attempts = 3
      delay = "200ms"
      interval = "10m"
      mode = "delay"
    }
    service {
      provider = "nomad"
      name = "shop-db"
      port = "sql"
      check {
        type = "tcp"
        interval = "1s"
        timeout = "3s"
      }
    }
    task "db" {
      driver = "raw_exec"
      user = "nobody"
      config {
        command = "/usr/bin/env"
        args = ["POSTGRES=$5", "--price=5%", "a b", "it's \"quoted\"", "back\\slash", ";", ""]
        work_dir = "/srv/shop"
      }
      env {
        "DATA" = "/srv/data 100%"
        "QUOTE" = "it's $HOME \"x\""
        "TZ" = "Europe/Paris"
        "ORCH_SECRETS" = "${NOMAD_SECRETS_DIR}"
        "PORT" = "5432"
        "ORCH_PORT_SQL" = "5432"
      }
      # nomad var put nomad/jobs/shop-db db_password=@/srv/shop/secrets/db_password
      template {
        data = "{{ with nomadVar \"nomad/jobs/shop-db\" }}{{ .db_password }}{{ end }}"
        destination = "${NOMAD_SECRETS_DIR}/db_password"
        perms = "0400"
      }
      kill_signal = "SIGINT"
      kill_timeout = "30s"
      resources {
        cpu = 500
        memory = 512
      }
      logs {
        max_files = 4
        max_file_size = 20
      }
    }
  }
}

# ---- shop-edge.nomad.hcl
# orch.yaml:68: "group_add" of edge is not carried over: a task has the groups of its user
# orch.yaml:65: "umask" of edge is not carried over: a task has no umask; set it in the command: umask 0027; exec …
# orch.yaml:64: "nice" of edge is not carried over: a task has no priority; put nice(1) before the command
# orch.yaml:66: "io_class" of edge is not carried over: a task has no such class; put ionice(1) before the command
# orch.yaml:67: "cpu_affinity" of edge is not carried over: the scheduler chooses; resources { cores = N } gives whole
#   cores
# orch.yaml:61: "ready" of edge is not carried over: a task is ready by its checks
# orch.yaml:62: "essential" of edge is not carried over: one job leaves the others
# orch.yaml:63: "locks" of edge is not carried over: tasks have no locks; put nomad var lock, or flock(1), before the
#   command
# orch.yaml:60: "sockets" of edge is not carried over: no socket is handed over; listen in the program, and write ports
# orch.yaml:58: "restart" of edge: a job of type service is started again also when it ends well; make it a task
job "shop-edge" {
  type = "service"
  update {
    max_parallel = 1
    healthy_deadline = "1m"
    progress_deadline = "2m"
  }
  group "edge" {
    count = 1
    restart {
      attempts = 3
      delay = "200ms"
      interval = "10m"
      mode = "delay"
    }
    task "edge" {
      driver = "raw_exec"
      config {
        command = "/srv/shop/edge"
        args = []
        work_dir = "/srv/shop"
      }
      env {
        "TZ" = "Europe/Paris"
      }
      kill_signal = "SIGTERM"
      kill_timeout = "10s"
      logs {
        max_files = 6
        max_file_size = 10
      }
    }
  }
}

# ---- shop-migrate.nomad.hcl
# orch.yaml:27: "depends_on" of migrate is not carried over: jobs don't wait for each other; let it try again, or wait
#   in a prestart task
# orch.yaml:28: "timeout" of migrate is not carried over: a batch job has no deadline; put timeout(1) before the command
job "shop-migrate" {
  type = "batch"
  group "migrate" {
    count = 1
    restart {
      attempts = 0
      mode = "fail"
    }
    task "migrate" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args = ["-c", "./migrate \"$DB\" && echo \"done: 100% $(date)\""]
        work_dir = "/srv/shop"
      }
      env {
        "DB" = "shop.db"
        "TZ" = "Europe/Paris"
        "ORCH_STACK" = "shop"
      }
      # nomad var put nomad/jobs/shop-migrate api_token=@/etc/shop/token
      template {
        data = "TOKEN={{ with nomadVar \"nomad/jobs/shop-migrate\" }}{{ .api_token }}{{ end }}"
        destination = "${NOMAD_SECRETS_DIR}/TOKEN.env"
        env = true
      }
      kill_signal = "SIGTERM"
      kill_timeout = "10s"
      logs {
        max_files = 6
        max_file_size = 10
      }
    }
  }
}

# ---- shop-nightly.nomad.hcl
# orch.yaml:72: "schedule.jitter" of nightly is not carried over: a periodic job starts on time
# orch.yaml:72: "schedule.missed" of nightly is not carried over: what is missed is left out
# orch.yaml:72: "schedule.overlap" of nightly: a run that is due while another goes on is left out
job "shop-nightly" {
  type = "batch"
  periodic {
    crons = ["30 2 1,15 * mon-fri"]
    prohibit_overlap = true
    time_zone = "Europe/Paris"
  }
  group "nightly" {
    count = 1
    restart {
      attempts = 3
      delay = "5m"
      interval = "25m"
      mode = "fail"
    }
    task "nightly" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args = ["-c", "./dump --all"]
        work_dir = "/srv/shop"
      }
      env {
        "TZ" = "Europe/Paris"
      }
      kill_signal = "SIGTERM"
      kill_timeout = "10s"
      logs {
        max_files = 6
        max_file_size = 10
      }
    }
  }
}

# ---- shop-poll.nomad.hcl
# orch.yaml:76: "schedule.every" of poll is not carried over: no cron line comes every 1m30s; write cron
job "shop-poll" {
  type = "batch"
  group "poll" {
    count = 1
    restart {
      attempts = 0
      delay = "5m"
      interval = "10m"
      mode = "fail"
    }
    task "poll" {
      driver = "raw_exec"
      config {
        command = "/srv/shop/poll"
        args = []
        work_dir = "/srv/shop"
      }
      env {
        "TZ" = "Europe/Paris"
      }
      kill_signal = "SIGTERM"
      kill_timeout = "10s"
      logs {
        max_files = 6
        max_file_size = 10
      }
    }
  }
}

# ---- shop-spare.nomad.hcl
# orch.yaml:77: "restart" of spare: a job of type service is started again also when it ends well; make it a task
job "shop-spare" {
  type = "service"
  update {
    max_parallel = 1
    healthy_deadline = "1m"
    progress_deadline = "2m"
  }
  group "spare" {
    count = 0
    restart {
      attempts = 3
      delay = "200ms"
      interval = "10m"
      mode = "delay"
    }
    task "spare" {
      driver = "raw_exec"
      config {
        command = "sleep"
        args = ["1000"]
        work_dir = "/srv/shop"
      }
      env {
        "TZ" = "Europe/Paris"
      }
      kill_signal = "SIGTERM"
      kill_timeout = "10s"
      logs {
        max_files = 6
        max_file_size = 10
      }
    }
  }
}

# ---- shop-web.nomad.hcl
# what customers see
# orch.yaml:49: "security" of web is not carried over: raw_exec has no walls; the exec driver has cap_add and cap_drop
# orch.yaml:36: "depends_on" of web is not carried over: jobs don't wait for each other; let it try again, or wait in a
#   prestart task
# orch.yaml:41: "health.liveness.http.expect" of web is not carried over: 200 to 299 is a success
# orch.yaml:43: "restart.jitter" of web: Nomad varies it by up to a quarter
# orch.yaml:45: "success_exit_codes" of web is not carried over: only 0 is a success; let the command end with exit 0
# orch.yaml:44: "on_exit" of web is not carried over: every failure is the same
# orch.yaml:53: "stop.steps.http" of web is not carried over: a stop is one signal; a poststop task
# orch.yaml:53: "stop.steps.command" of web is not carried over: a stop is one signal; a poststop task
# orch.yaml:46: "reload" of web is not carried over: Nomad reloads nothing by itself; nomad alloc signal -s SIGHUP ALLOC
# orch.yaml:50: "hooks" of web is not carried over: a hook is a task there; write a task with lifecycle { hook =
#   "prestart" } and its kin
# orch.yaml:48: "watch" of web is not carried over: Nomad looks at no files
# orch.yaml:35: "ports.on_conflict" of web: a port in use keeps a job from being placed
# orch.yaml:47: "update.order" of web: old instances are stopped first, except for canaries
# orch.yaml:35: "ports" of web: a client has a port once: each copy needs a client of its own; write auto
# orch.yaml:53: "stop.steps" of web is not carried over: a stop has one signal, the first: SIGQUIT
job "shop-web" {
  type = "service"
  meta {
    "cost-centre" = "12"
    "team" = "shop"
  }
  update {
    max_parallel = 1
    min_healthy_time = "5s"
    healthy_deadline = "1m"
    progress_deadline = "2m"
    auto_revert = true
  }
  group "web" {
    count = 2
    network {
      port "http" {
        static = 8080
      }
    }
    restart {
      attempts = 5
      delay = "1s"
      interval = "5m"
      mode = "fail"
    }
    service {
      provider = "nomad"
      name = "shop-web"
      port = "http"
      check {
        type = "http"
        path = "/ready"
        interval = "1s500ms"
        timeout = "1s"
      }
      check {
        type = "http"
        path = "/live"
        interval = "10s"
        timeout = "1s"
        check_restart {
          limit = 3
          grace = "5s"
        }
      }
    }
    task "web" {
      driver = "raw_exec"
      config {
        command = "/bin/sh"
        args = ["-c", "exec ./web --port 8080 --name $X"]
        work_dir = "/srv/shop"
      }
      env {
        "INSTANCE" = "${NOMAD_ALLOC_INDEX}"
        "TZ" = "Europe/Paris"
        "ORCH_REPLICA" = "${NOMAD_ALLOC_INDEX}"
        "PORT" = "8080"
        "ORCH_PORT_HTTP" = "8080"
      }
      kill_signal = "SIGQUIT"
      kill_timeout = "40s"
      logs {
        max_files = 6
        max_file_size = 10
      }
    }
  }
}
