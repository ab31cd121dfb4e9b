pm2
const path = require("path");
// The shop's processes.
module.exports = {
  apps: [
    {
      name: "api",
      script: "./dist/server.js",
      args: ["--port", 8000, '--title=It\'s "us"'],
      node_args: "--max-old-space-size=2048 --enable-source-maps",
      cwd: __dirname,
      instances: 4,
      exec_mode: "cluster",
      watch: false,
      autorestart: true,
      max_memory_restart: "1G",
      max_restarts: 10,
      min_uptime: "30s",
      restart_delay: 4000,
      kill_timeout: 5000,
      wait_ready: true,
      env: { NODE_ENV: "development", PORT: 8000, PRICE: "$5 ${X}", SECRET: process.env.SECRET, LEVEL: process.env.LEVEL || "info" },
      env_production: { NODE_ENV: "production" },
      error_file: "logs/api.err.log",
      out_file: "logs/api.log",
      time: true,
    },
    {
      name: 'Scheduler',
      script: 'scheduler.py',
      interpreter: 'python3',
      args: 'run --every "5 min"',
      cron_restart: '0 3 * * *',
      exp_backoff_restart_delay: 100,
      stop_exit_codes: [0, 3],
      env: { TOKEN: `fixed`, HOME_URL: `https://${process.env.HOST}/`, N: 1.5, ON: true },
      instances: "max",
      uid: "www-data", gid: "www-data",
    },
    {
      script: "npm", args: "start", cwd: path.join(__dirname, "web"),
      autorestart: false,
      log_file: "/dev/null",
    },
    ...others,
    makeApp("x", { a: [1, 2] }),
  ],
  deploy: { production: { user: "node", host: ["192.0.2.1"] } },
};
