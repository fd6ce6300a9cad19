// Makes the messages of a Tagloom project out of samples. The same rules as app/mapping of Tagloom, which tests compare it with.
//
// Values: a BigInt is an integer, a Number is a float, so that both behave as they do in the project's own preview.
// A step that cannot be done throws BAD: the attribute is then sent without a value, with bad quality.
"use strict";

const BAD = new Error("no usable value");
const GOOD = 0, UNCERTAIN = 1, WORST = 2;
const QUALITY_TEXT = ["good", "uncertain", "bad"];
const QUALITY_CODE = [192, 64, 0];
const SAFE = 9007199254740992n;
const NS_PER_MS = 1000000n;

const LIMITS = {
    int8: [-128n, 127n], uint8: [0n, 255n], int16: [-32768n, 32767n], uint16: [0n, 65535n],
    int32: [-2147483648n, 2147483647n], uint32: [0n, 4294967295n],
    int64: [-9223372036854775808n, 9223372036854775807n], uint64: [0n, 18446744073709551615n],
};

// --- values -----------------------------------------------------------------------------------------------------------

function number(value) {
    if (typeof value === "boolean") return value ? 1n : 0n;
    if (typeof value === "bigint" || typeof value === "number") return value;
    throw BAD;
}

function float(value) {
    return Number(number(value));
}

function whole(value) {
    if (typeof value === "boolean") return value ? 1n : 0n;
    if (typeof value === "bigint") return value;
    if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
    throw BAD;
}

function halfEven(value) {
    const down = Math.floor(value);
    const rest = value - down;
    if (rest !== 0.5) return rest < 0.5 ? down : down + 1;
    return down % 2 === 0 ? down : down + 1;
}

const ROUNDING = { half_even: halfEven, floor: Math.floor, ceil: Math.ceil, truncate: Math.trunc };

function parsed(text) {
    const bare = text.trim();
    if (/^[+-]?[0-9]+$/.test(bare)) return BigInt(bare.replace(/^\+/, ""));
    if (/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(bare)) return Number(bare);
    if (/^[+-]?(inf|infinity)$/i.test(bare)) return bare[0] === "-" ? -Infinity : Infinity;
    if (/^[+-]?nan$/i.test(bare)) return NaN;
    throw BAD;
}

function toInteger(value, type, rounding) {
    let source = typeof value === "string" ? parsed(value) : number(value);
    if (typeof source === "number") {
        if (!Number.isFinite(source)) throw BAD;
        source = BigInt(ROUNDING[rounding](source));
    }
    const [low, high] = LIMITS[type];
    if (source < low || source > high) throw BAD;
    return source;
}

function toFloat(value, type) {
    const source = Number(typeof value === "string" ? parsed(value) : number(value));
    if (type !== "float32" || !Number.isFinite(source)) return source;
    const narrow = Math.fround(source);
    if (!Number.isFinite(narrow)) throw BAD;
    return narrow;
}

function toBool(value) {
    if (typeof value === "boolean") return value;
    if (value === 0n || value === 1n || value === 0 || value === 1) return Boolean(value);
    throw BAD;
}

// The shortest text that gives the float back, written as Python writes it: 1e+16, 1e-05, 21.0.
function floatText(value) {
    if (Number.isNaN(value)) return "nan";
    if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
    if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
    const [mantissa, power] = Math.abs(value).toExponential().split("e");
    const digits = mantissa.replace(".", "");
    const exponent = Number(power);
    const sign = value < 0 ? "-" : "";
    if (exponent < -4 || exponent >= 16) {
        const shown = digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
        return `${sign}${shown}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
    }
    if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
    const before = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
    return `${sign}${before}.${digits.slice(exponent + 1) || "0"}`;
}

function toText(value) {
    if (typeof value === "string") return value;
    if (typeof value === "boolean") return value ? "true" : "false";
    if (typeof value === "bigint") return value.toString();
    if (typeof value === "number") return floatText(value);
    throw BAD;
}

function isBytes(value) {
    return value instanceof Uint8Array;
}

function cast(value, type, rounding) {
    if (type.endsWith("[]")) {
        if (!Array.isArray(value)) throw BAD;
        return value.map((part) => cast(part, Array.isArray(part) ? type : type.slice(0, -2), rounding));
    }
    if (type in LIMITS) return toInteger(value, type, rounding);
    if (type === "float32" || type === "float64") return toFloat(value, type);
    if (type === "bool") return toBool(value);
    if (type === "bytes") {
        if (!isBytes(value)) throw BAD;
        return value;
    }
    if (type === "struct") throw BAD;
    return toText(value);
}

// --- operators --------------------------------------------------------------------------------------------------------

// value = mantissa * 2^power, exactly.
function exact(value) {
    let power = 0;
    while (!Number.isInteger(value)) {
        value *= 2;
        power -= 1;
    }
    return [BigInt(value), power];
}

function divideHalfEven(top, bottom) {
    let quotient = top / bottom;
    let rest = top % bottom;
    if (rest < 0n) {
        quotient -= 1n;
        rest += bottom;
    }
    const twice = 2n * rest;
    return twice > bottom || (twice === bottom && quotient % 2n !== 0n) ? quotient + 1n : quotient;
}

function roundTo(value, digits) {
    if (typeof value === "bigint") {
        if (digits >= 0) return value;
        const unit = 10n ** BigInt(-digits);
        return divideHalfEven(value, unit) * unit;
    }
    if (!Number.isFinite(value) || value === 0) return value;
    const [mantissa, power] = exact(value);
    const top = mantissa * (digits > 0 ? 10n ** BigInt(digits) : 1n);
    const bottom = 2n ** BigInt(-power) * (digits < 0 ? 10n ** BigInt(-digits) : 1n);
    const result = Number(`${divideHalfEven(top, bottom)}e${-digits}`);
    if (!Number.isFinite(result)) throw BAD;
    return result === 0 && value < 0 ? -0 : result;
}

const OPERATORS = {
    linear(step, value) {
        const result = step.low + (float(value) - step.raw_low) * step.gain;
        if (!step.clamp || Number.isNaN(result)) return result;
        return Math.min(Math.max(result, step.bottom), step.top);
    },
    gain: (step, value) => float(value) * step.gain + step.offset,
    sqrt(step, value) {
        const source = float(value);
        return step.high * Math.sqrt((source < 0 ? 0 : source) / step.high);
    },
    bit: (step, value) => ((whole(value) >> BigInt(step.index)) & 1n) === 1n,
    mask: (step, value) => (whole(value) & BigInt(step.mask)) >> BigInt(step.shift),
    enum(step, value) {
        const key = whole(value).toString();
        if (Object.hasOwn(step.names, key)) return step.names[key];
        if (step.other === null) throw BAD;
        return step.other;
    },
    clamp(step, value) {
        let result = value;
        if (step.low !== null && number(result) < step.low) result = step.low;
        if (step.high !== null && number(result) > step.high) result = step.high;
        return result;
    },
    cast: (step, value) => cast(value, step.type, step.rounding),
    round: (step, value) => roundTo(number(value), step.digits),
    not(step, value) {
        if (typeof value === "number") return value === 0;
        if (typeof value === "boolean" || typeof value === "bigint") return !value;
        throw BAD;
    },
    trim(step, value) {
        if (typeof value !== "string") throw BAD;
        return value.replace(/^[\0 \t\r\n\v\f]+|[\0 \t\r\n\v\f]+$/g, "");
    },
    never() {
        throw BAD;
    },
};

// A part of a structure, array or matrix, by names and indexes.
function picked(path, value) {
    return path.reduce((part, step) => {
        const has = typeof step === "number" ? Array.isArray(part) : part !== null && typeof part === "object" && !Array.isArray(part);
        if (!has || isBytes(part) || !Object.hasOwn(part, step)) throw BAD;
        return part[step];
    }, value);
}

// Parts are taken of the whole value, before all else; then each element of an array goes its own way. What can
// never be done stands alone, and is not done to an empty array either.
function run(steps, value) {
    if (steps.length === 1 && steps[0].op === "never") throw BAD;
    if (steps.length > 0 && steps[0].op === "part") return run(steps.slice(1), picked(steps[0].path, value));
    if (Array.isArray(value)) return value.map((part) => run(steps, part));
    return steps.reduce((result, step) => OPERATORS[step.op](step, result), value);
}

function scaled(scale, value) {
    if (scale === null) return value;
    if (Array.isArray(value)) return value.map((part) => scaled(scale, part));
    if (typeof value !== "bigint" && typeof value !== "number") return value;
    return Number(value) * scale[0] + scale[1];
}

function member(value, names) {
    if (typeof value === "string") {
        if (Object.keys(names).length === 0 || Object.values(names).includes(value)) return value;
        throw BAD;
    }
    const key = whole(value).toString();
    if (!Object.hasOwn(names, key)) throw BAD;
    return names[key];
}

// The value as the attribute's type asks, without rounding: a fraction does not silently become a whole number.
function conform(value, attribute) {
    const type = attribute.type;
    if (type === "enum") return member(value, attribute.enum);
    if (type in LIMITS && typeof value === "number" && !Number.isInteger(value)) throw BAD;
    if (type in LIMITS && typeof value === "string") throw BAD;
    if (type === "string" && typeof value !== "string") throw BAD;
    return type ? cast(value, type, "half_even") : value;
}

function jsonValue(value) {
    if (typeof value === "bigint") return value >= -SAFE && value <= SAFE ? Number(value) : value.toString();
    if (isBytes(value)) return Buffer.from(value).toString("base64");
    if (Array.isArray(value)) return value.map(jsonValue);
    return value === undefined ? null : value;
}

// --- times ------------------------------------------------------------------------------------------------------------

function rfc3339(ns) {
    let fraction = ns % 1000000000n;
    if (fraction < 0n) fraction += 1000000000n;
    const digits = fraction.toString().padStart(9, "0");
    const shown = digits.endsWith("000000") ? digits.slice(0, 3) : digits.endsWith("000") ? digits.slice(0, 6) : digits;
    const whole_seconds = new Date(Number((ns - fraction) / NS_PER_MS)).toISOString();
    return `${whole_seconds.slice(0, 19)}.${shown}Z`;
}

function timeField(kind, ns) {
    if (ns === null) return null;
    if (kind === "rfc3339") return rfc3339(ns);
    if (kind === "epoch_ns") return ns.toString();
    return Number(ns >= 0n || ns % NS_PER_MS === 0n ? ns / NS_PER_MS : ns / NS_PER_MS - 1n);
}

function timeOf(sample, wanted) {
    if (wanted === "source" && sample.source_ns !== null) return sample.source_ns;
    if (wanted !== "receive" && sample.server_ns !== null) return sample.server_ns;
    return sample.receive_ns;
}

// --- one attribute ----------------------------------------------------------------------------------------------------

const NOTHING = { value: null, quality: WORST, time_ns: null };

function freshValue(attribute, sample) {
    const time_ns = timeOf(sample, attribute.time);
    if (sample.value === null || sample.value === undefined) return { value: null, quality: WORST, time_ns };
    try {
        const value = conform(run(attribute.steps, scaled(attribute.scale, sample.value)), attribute);
        if (typeof value === "number" && !Number.isFinite(value)) return { value: null, quality: WORST, time_ns };
        return { value, quality: sample.quality, time_ns };
    } catch (error) {
        if (error !== BAD && !(error instanceof RangeError)) throw error;
        return { value: null, quality: WORST, time_ns };
    }
}

class AttributeValue {
    constructor(attribute) {
        this.attribute = attribute;
        this.current = NOTHING;
        this.held = null;
        this.held_at_ns = 0n;
        this.accepted = null;
    }

    // Whether what is delivered has changed.
    take(sample) {
        if (this.withinDeadband(sample)) return false;
        this.accepted = sample;
        const before = this.current;
        this.current = this.asPolicy(freshValue(this.attribute, sample), sample.receive_ns);
        return this.differs(before);
    }

    differs(before) {
        if (before === NOTHING) return true;
        return before.quality !== this.current.quality || JSON.stringify(jsonValue(before.value)) !== JSON.stringify(jsonValue(this.current.value));
    }

    withinDeadband(sample) {
        const last = this.accepted;
        const band = this.attribute.deadband;
        if (!(band > 0) || last === null || last.quality !== sample.quality) return false;
        const now = scaled(this.attribute.scale, sample.value), then = scaled(this.attribute.scale, last.value);
        const numeric = (value) => typeof value === "number" || typeof value === "bigint";
        return numeric(now) && numeric(then) && Math.abs(Number(now) - Number(then)) <= band;
    }

    asPolicy(result, now_ns) {
        if (this.attribute.quality === "pass") return result;
        if (result.quality === GOOD) {
            this.held = result;
            this.held_at_ns = now_ns;
            return result;
        }
        if (this.attribute.quality === "hold" && this.held && Number(now_ns - this.held_at_ns) / 1e6 <= this.attribute.hold_ms) {
            return { ...this.held, quality: UNCERTAIN };
        }
        return { ...result, value: null };
    }

    // A held value whose time is over; called again and again.
    expire(now_ns) {
        const isHeld = this.held !== null && this.current.value !== null && this.current.quality === UNCERTAIN;
        if (this.attribute.quality !== "hold" || !isHeld || this.accepted === null || this.accepted.quality === GOOD) return false;
        if (Number(now_ns - this.held_at_ns) / 1e6 <= this.attribute.hold_ms) return false;
        this.current = { ...freshValue(this.attribute, this.accepted), value: null };
        return true;
    }
}

// --- the whole delivery -----------------------------------------------------------------------------------------------

class Delivery {
    // plan: what app/gateways/program.py of Tagloom made. now_ns: BigInt, ns since 1970 UTC.
    constructor(plan, now_ns) {
        this.plan = plan;
        this.bySource = new Map();
        this.byWatch = new Map();
        this.samples = new Map();
        this.assets = plan.assets.map((asset) => {
            const state = { asset, values: asset.attributes.map((attribute) => new AttributeValue(attribute)), dirty: false, due_ns: now_ns };
            state.due_ns += BigInt(asset.period_ms) * NS_PER_MS;
            state.values.forEach((value) => this.feed(value, state));
            return state;
        });
        for (const [id, stale_ms] of Object.entries(plan.watches)) {
            this.byWatch.set(id, { stale_ms, alive_ns: now_ns, stale: false, sources: [] });
        }
        for (const [source, { watch }] of Object.entries(plan.sources)) this.byWatch.get(watch).sources.push(source);
    }

    feed(value, state) {
        const source = value.attribute.source;
        if (!this.bySource.has(source)) this.bySource.set(source, []);
        this.bySource.get(source).push([value, state]);
    }

    // Proof of life of a connection or of a poll.
    alive(watch, now_ns) {
        const found = this.byWatch.get(watch);
        found.alive_ns = now_ns;
        if (!found.stale) return [];
        found.stale = false;
        return found.sources.flatMap((source) => (this.samples.has(source) ? this.spread(source, this.samples.get(source)) : []));
    }

    // A sample {value, quality, source_ns, server_ns, receive_ns}; gives the messages that leave at once.
    offer(source, sample) {
        this.samples.set(source, sample);
        return this.spread(source, sample);
    }

    spread(source, sample) {
        const messages = [];
        for (const [value, state] of this.bySource.get(source) || []) {
            if (!value.take(sample) || state.asset.trigger !== "change") continue;
            if (state.asset.message === "attribute") messages.push(...attributeMessages(state.asset, [value]));
            else state.dirty = true;
        }
        return messages;
    }

    // Called every collect_ms; gives what is due.
    tick(now_ns) {
        const messages = [...this.expireSilent(now_ns)];
        for (const state of this.assets) {
            for (const value of state.values) {
                if (!value.expire(now_ns) || state.asset.trigger !== "change") continue;
                if (state.asset.message === "attribute") messages.push(...attributeMessages(state.asset, [value]));
                else state.dirty = true;
            }
            if (state.asset.trigger === "periodic" ? now_ns >= state.due_ns : state.dirty) {
                messages.push(...(state.asset.message === "attribute" ? attributeMessages(state.asset, state.values) : [assetMessage(state)]));
                state.dirty = false;
                const period_ns = BigInt(state.asset.period_ms) * NS_PER_MS;
                while (state.due_ns <= now_ns) state.due_ns += period_ns;
            }
        }
        return messages;
    }

    expireSilent(now_ns) {
        const messages = [];
        for (const watch of this.byWatch.values()) {
            if (watch.stale || Number(now_ns - watch.alive_ns) / 1e6 <= watch.stale_ms) continue;
            watch.stale = true;
            const silence = { value: null, quality: WORST, source_ns: null, server_ns: null, receive_ns: now_ns };
            for (const source of watch.sources) messages.push(...this.spread(source, silence));
        }
        return messages;
    }
}

function isSent(asset, current) {
    return current.value !== null || asset.null === "null";
}

function parts(asset, value) {
    const { attribute, current } = value;
    const made = { value: jsonValue(current.value) };
    if (asset.quality === "text") made.quality = QUALITY_TEXT[current.quality];
    if (asset.quality === "code") made.quality = QUALITY_CODE[current.quality];
    if (attribute.unit !== null) made.unit = attribute.unit;
    made.time = timeField(asset.time, current.time_ns);
    return made;
}

function message(asset, topic, payload) {
    return { topic, payload: JSON.stringify(payload), qos: asset.qos, retain: asset.retain };
}

function assetMessage(state) {
    const asset = state.asset;
    const values = Object.create(null); // so that no attribute name, "__proto__" for one, has a meaning of its own
    let newest = null;
    for (const value of state.values) {
        const time_ns = value.current.time_ns;
        if (time_ns !== null && (newest === null || time_ns > newest)) newest = time_ns;
        if (isSent(asset, value.current)) values[value.attribute.key] = asset.parts ? parts(asset, value) : jsonValue(value.current.value);
    }
    return message(asset, asset.topic, { ...asset.head, time: timeField(asset.time, newest), values });
}

function attributeMessages(asset, values) {
    return values
        .filter((value) => isSent(asset, value.current))
        .map((value) => message(asset, value.attribute.topic, { ...asset.head, attribute: value.attribute.key, ...parts(asset, value) }));
}
