"use strict";
(() => {
    const search = document.getElementById("search");
    const found = document.getElementById("found");
    const chips = [...document.querySelectorAll(".chip")];
    const nothing = document.querySelector(".nothing");
    const rows = [...document.querySelectorAll("main .row")];
    // What holds rows and goes when all of them do, innermost first.
    const holders = [...document.querySelectorAll("main table, main details.fold, main .asset, main .card, main .place, main section")].reverse();
    let texts = null;
    let waiting = 0;

    // A row is also found by what stands above it: its asset and its place.
    function prepare() {
        const heads = new Map();
        texts = rows.map((row) => {
            const article = row.closest("article.asset");
            if (article && !heads.has(article)) {
                const place = article.closest(".place");
                heads.set(article, [article.querySelector(".head"), article.querySelector(".topic"), place && place.querySelector("h3")].map((part) => (part ? part.textContent : "")).join(" "));
            }
            return `${row.textContent} ${article ? heads.get(article) : ""}`.toLowerCase();
        });
    }

    function apply() {
        if (texts === null) prepare();
        const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
        const states = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.state);
        const active = words.length > 0 || states.length > 0;
        let count = 0;
        rows.forEach((row, index) => {
            const fits = words.every((word) => texts[index].includes(word)) && (states.length === 0 || states.includes(row.dataset.state));
            row.hidden = !fits;
            if (fits) count += 1;
        });
        for (const holder of holders) {
            if (!active) {
                holder.hidden = false;
                continue;
            }
            const own = holder.matches(".row") ? !holder.hidden : false;
            const inside = holder.querySelector(".row:not([hidden])") !== null;
            if (holder.matches(".card.row")) holder.hidden = !(own || inside);
            else if (holder.querySelector(".row") !== null || holder.matches("section")) holder.hidden = !inside;
            if (holder.matches("details.fold") && inside && words.length > 0) holder.open = true;
        }
        // A card that is itself found shows all it holds.
        if (active) {
            for (const card of document.querySelectorAll("main .card.row:not([hidden])")) {
                if (card.querySelector(".row:not([hidden])") === null) card.querySelectorAll("[hidden]").forEach((part) => { part.hidden = false; });
            }
        }
        nothing.hidden = !active || count > 0;
        found.textContent = active ? `${count} of ${rows.length} entries` : "";
    }

    function later() {
        clearTimeout(waiting);
        waiting = setTimeout(apply, 120);
    }

    search.addEventListener("input", later);
    for (const chip of chips) {
        chip.addEventListener("click", () => {
            chip.setAttribute("aria-pressed", chip.getAttribute("aria-pressed") === "true" ? "false" : "true");
            apply();
        });
    }
    document.getElementById("clear").addEventListener("click", () => {
        search.value = "";
        chips.forEach((chip) => chip.setAttribute("aria-pressed", "false"));
        apply();
        search.focus();
    });
    document.addEventListener("keydown", (event) => {
        if (event.key === "/" && document.activeElement !== search) {
            event.preventDefault();
            search.focus();
        } else if (event.key === "Escape" && document.activeElement === search) {
            search.value = "";
            apply();
        }
    });
    addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
    // A search can be handed over in the address: page.html#?filler
    if (location.hash.startsWith("#?")) {
        search.value = decodeURIComponent(location.hash.slice(2));
        apply();
    }
})();
