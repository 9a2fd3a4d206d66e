/* What the page does without its server: reads the sliders out, sends one setting at a time, waits until they rest,
   refuses large files before they are read, and saves pictures. */
(function () {
  "use strict";

  const QUIET_MS = 250;
  const LOST_MS = 20000;
  const SLOW_QUIET_MS = 400;

  /* What is to be sent next, if something is under way; and what waits for the sliders to rest. */
  const gate = { busy: false, next: null, timer: null };
  const rest = { timer: null };

  function noUpdate() {
    return window.dash_clientside.no_update;
  }

  /* Not as the output of a callback: dash drops that of a callback which has been called again meanwhile. */
  function store(name, value) {
    window.dash_clientside.set_props(name, { data: value });
  }

  function send(setting) {
    gate.busy = true;
    gate.next = null;
    clearTimeout(gate.timer);
    gate.timer = setTimeout(open, LOST_MS); // an answer that never came
    store("setting", setting);
  }

  function open() {
    gate.busy = false;
    clearTimeout(gate.timer);
    if (gate.next) {
      send(gate.next);
    }
  }

  window.dash_clientside = Object.assign({}, window.dash_clientside, {
    explorer: {
      /* Texts beside the sliders, and which rows are of use. */
      say: function (...given) {
        const scales = given.pop();
        const [selection, student] = given.splice(-2);
        const names = Object.keys(scales.said);
        const texts = given.map((stop, i) => scales.said[names[i]][Number(stop)]);
        names.forEach((name, i) => {
          const slider = document.getElementById(name);
          if (slider) {
            slider.setAttribute("aria-valuetext", texts[i]);
          }
        });
        const hidden = (shown) => (shown ? {} : { display: "none" });
        const loses = scales.losses.includes(student);
        return [...texts, hidden(selection === "band"), hidden(loses), hidden(loses)];
      },

      /* Sends the setting; while an answer is under way the newest one waits for it. */
      pack: function (...given) {
        const scales = given.pop();
        const [selection, student] = given.splice(-2);
        const setting = { selection: selection, student: student };
        Object.keys(scales.stops).forEach((name, i) => {
          setting[name] = scales.stops[name][Number(given[i])];
        });
        if (gate.busy) {
          gate.next = setting;
        } else {
          send(setting);
        }
        return noUpdate();
      },

      /* The main graph came back: the next setting may go. */
      release: function () {
        open();
        return noUpdate();
      },

      /* The setting once the sliders rest: what takes longer is computed for it. */
      settle: function (setting) {
        clearTimeout(rest.timer);
        if (setting) {
          const quiet = setting.student === "max-margin" ? QUIET_MS : SLOW_QUIET_MS;
          rest.timer = setTimeout(() => store("settled", setting), quiet);
        }
        return noUpdate();
      },

      /* Saves a graph as a file. */
      picture: function () {
        const id = window.dash_clientside.callback_context.triggered_id;
        const clicks = window.dash_clientside.callback_context.triggered[0];
        if (id && clicks && clicks.value) {
          const graph = document.getElementById(id.graph).querySelector(".js-plotly-plot");
          const box = graph.getBoundingClientRect();
          window.Plotly.downloadImage(graph, {
            format: id.format,
            filename: "perceptron_theory_" + id.graph,
            width: Math.round(box.width),
            height: Math.round(box.height),
            scale: id.format === "png" ? 2 : 1,
          });
        }
        return noUpdate();
      },
    },
  });

  /* Files that are too large are refused here: the browser would read them into memory first. */
  function refuse(event) {
    const zone = document.getElementById("drop");
    if (!zone || !zone.contains(event.target)) {
      return;
    }
    const files = Array.from((event.dataTransfer || event.target).files || []);
    const most = Number(zone.parentElement.dataset.most);
    const large = files.find((file) => file.size > most);
    let reason = null;
    if (files.length > 1) {
      reason = files.length + " files at once: drop them one by one.";
    } else if (large) {
      const limit = Math.floor(most / 1048576);
      reason = large.name + " is larger than the " + limit + " MB that this page takes: use the command line, or a sample.";
    }
    if (reason) {
      event.preventDefault();
      event.stopPropagation();
      window.dash_clientside.set_props("message", { children: reason });
    }
  }
  document.addEventListener("drop", refuse, true);
  document.addEventListener("change", refuse, true);
})();
