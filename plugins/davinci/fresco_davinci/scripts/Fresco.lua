-- Fresco for DaVinci Resolve's free edition, where only sandboxed Lua runs.
-- Click it once in a session, while "fresco resolve-companion" runs; the companion's window does the rest.
--
-- It reads messages from files that give tables, does what they ask of Resolve, and answers through
-- Fusion's preferences. What messages and answers look like stands in fresco_davinci/bridge.
-- It does without io, os.execute, require, ffi and debug, which the sandbox has taken away.

local MAILBOX = "@MAILBOX@"
local VERSION = 1
local ANSWER = "Global.Fresco.Answer"
local HINT = "fresco:hint"
local PATIENCE_S = 12 -- without a heartbeat
local START_S = 6 -- to see a heartbeat at all
local QUICK_S, SLOW_S = 0.02, 0.2
local LARGEST = 90000 -- bytes of an answer

-- All that may be called. A message can ask for nothing else.
local ALLOWED = {}
for name in ([[
    AddItemListToMediaPool AddMarker AddRenderJob AddSubFolder AddTake AddTrack AppendToTimeline ClearClipColor DeleteClips
    DeleteFolders DeleteMarkerByCustomData DeleteRenderJob DeleteRenderPreset DeleteTakeByIndex DeleteTrack
    ExportCurrentFrameAsStill FinalizeTake GetClipColor GetClipList GetClipProperty GetCurrentFolder
    GetCurrentPage GetCurrentProject GetCurrentRenderFormatAndCodec GetCurrentRenderMode GetCurrentTimecode
    GetCurrentTimeline GetCurrentVideoItem GetDuration GetEnd GetFusionCompCount GetIsTrackEnabled
    GetIsTrackLocked GetItemListInTrack GetLUT GetLeftOffset GetMarkInOut GetMarkerByCustomData
    GetMediaPool GetMediaPoolItem GetMediaStorage GetMetadata GetName GetNodeGraph GetNumNodes GetProjectManager GetProperties
    GetProperty GetRenderCodecs GetRenderJobList GetRenderJobStatus GetRenderPresetList GetRootFolder
    GetSelectedTakeIndex GetSetting GetSettings GetSourceEndFrame GetSourceStartFrame GetSpeed GetStart
    GetStartFrame GetStartTimecode GetSubFolderList GetTakeByIndex GetTakesCount GetThirdPartyMetadata GetTimelineByIndex
    GetTimelineCount GetToolsInNode GetTrackCount GetTrackName GetTrackTypeAndIndex GetUniqueId GetVersion
    ImportMedia IsRenderingInProgress LoadRenderPreset OpenPage ReplaceClip SaveAsNewRenderPreset
    SelectTakeByIndex SetClipColor SetClipProperty SetCurrentFolder SetCurrentRenderFormatAndCodec
    SetCurrentRenderMode SetCurrentTimeline SetMetadata SetProperties SetProperty SetRenderSettings
    SetSelectedClip SetThirdPartyMetadata SetTrackEnable SetTrackName StartRendering StopRendering
]]):gmatch("%a+") do
    ALLOWED[name] = true
end

local fusion = fusion or fu
local resolve = resolve or (app and app:GetResolve())

-- Files ------------------------------------------------------------------------------------------

-- The table a file gives; nil if there is none, or it is not ours. It cannot do anything: it has
-- no names to use, and under LuaJIT, "t", bytecode is refused.
local function read(name)
    local chunk = loadfile(MAILBOX .. "/" .. name, "t", {})
    if not chunk then
        return nil
    end
    if setfenv then
        setfenv(chunk, {})
    end
    local ok, found = pcall(chunk)
    if ok and type(found) == "table" and rawget(found, "fresco") == VERSION then
        return found
    end
    return nil
end

-- JSON -------------------------------------------------------------------------------------------

local ESCAPES = { ['"'] = '\\"', ["\\"] = "\\\\" }

local function json_text(text)
    local escaped = text:gsub('[%c"\\]', function(letter)
        return ESCAPES[letter] or ("\\u%04x"):format(letter:byte())
    end)
    return '"' .. escaped .. '"'
end

local function json_number(number)
    if number ~= number or number == math.huge or number == -math.huge then
        return "null"
    end
    if number == math.floor(number) and math.abs(number) < 2 ^ 53 then
        return ("%d"):format(number)
    end
    return ("%.17g"):format(number)
end

local objects = {}

local function is_list(value)
    local count = 0
    for _ in pairs(value) do
        count = count + 1
    end
    return count > 0 and count == #value
end

local json

local function json_table(value, depth)
    local parts = {}
    if is_list(value) then
        for _, part in ipairs(value) do
            parts[#parts + 1] = json(part, depth)
        end
        return "[" .. table.concat(parts, ",") .. "]"
    end
    for key, part in pairs(value) do
        local name = type(key) == "number" and json_number(key) or json_text(tostring(key))
        parts[#parts + 1] = "[" .. name .. "," .. json(part, depth) .. "]"
    end
    return '{"d":[' .. table.concat(parts, ",") .. "]}"
end

function json(value, depth)
    depth = (depth or 0) + 1
    local kind = type(value)
    if depth > 20 then
        error("too deep")
    elseif value == nil then
        return "null"
    elseif kind == "boolean" then
        return tostring(value)
    elseif kind == "number" then
        return json_number(value)
    elseif kind == "string" then
        return json_text(value)
    elseif kind == "table" and getmetatable(value) == nil then
        return json_table(value, depth)
    end
    objects[#objects + 1] = value
    return ('{"o":%d}'):format(#objects)
end

-- Messages ---------------------------------------------------------------------------------------

local function object(number)
    return number == 0 and resolve or objects[number]
end

local function decoded(value)
    if type(value) ~= "table" then
        return value
    elseif value.o then
        local found = object(value.o)
        if found == nil then
            error("there is no such object")
        end
        return found
    end
    local result = {}
    if value.l then
        for number = 1, value.n do
            result[number] = decoded(value.l[number])
        end
    elseif value.d then
        for number = 1, value.d.n do
            local pair = value.d.l[number]
            result[pair.l[1]] = decoded(pair.l[2])
        end
    else
        error("that is no value")
    end
    return result
end

local function call(message)
    local method = message.method
    local subject = object(message.on)
    if not ALLOWED[method] or subject == nil then
        error("that may not be called")
    end
    local found = subject[method]
    if message["do"] == "has" then
        return found ~= nil
    elseif found == nil then
        error("this Resolve has no " .. method)
    end
    local arguments = decoded(message.args)
    return found(subject, unpack(arguments, 1, message.args.n))
end

local function done(message)
    local what = message["do"]
    if what == "call" or what == "has" then
        return call(message)
    elseif what == "say" then
        print(message.text)
        return nil
    end
    error("this Resolve cannot do that")
end

local function answer_to(message)
    local ok, value = pcall(done, message)
    if ok then
        local could, text = pcall(json, value)
        if could and #text <= LARGEST then
            return '{"value":' .. text .. "}"
        end
        value = could and "the answer is too long" or text
    end
    return '{"error":' .. json_text(tostring(value)) .. "}"
end

-- Adler-32, which takes no operations on bits.
local function checksum(text)
    local a, b = 1, 0
    for place = 1, #text do
        a = (a + text:byte(place)) % 65521
        b = (b + a) % 65521
    end
    return b * 65536 + a
end

local function tell(session, owner, number, text)
    local digits = text:gsub(".", function(letter)
        return ("%02x"):format(letter:byte())
    end)
    local word = ("FRESCO1:%s:%s:%d:%d:%.0f:%s"):format(session, owner, number, #text, checksum(text), digits)
    fusion:SetPrefs(ANSWER, word)
    fusion:SavePrefs()
end

-- The session ------------------------------------------------------------------------------------

-- The heartbeat of a companion that lives; nil if none does.
local function companion()
    local first = read("companion.lua")
    local waited = 0
    while waited < START_S do
        bmd.wait(SLOW_S)
        waited = waited + SLOW_S
        local now = read("companion.lua")
        if now and first and now.session == first.session and now.beat ~= first.beat then
            return now
        end
        first = now or first
    end
    return nil
end

local function timeline()
    local project = resolve:GetProjectManager():GetCurrentProject()
    return project and project:GetCurrentTimeline()
end

-- There is no window to say it in, and print is mute: a marker has to do.
local function hint()
    local current = timeline()
    print("Fresco: start the companion first, with: fresco resolve-companion")
    if current then
        current:DeleteMarkerByCustomData(HINT)
        local note = "In a terminal run: fresco resolve-companion - then click this script again."
        for frame = 0, 5 do
            if current:AddMarker(frame, "Red", "Fresco is not running", note, 1, HINT) then
                return
            end
        end
    end
end

local function take_hint_away()
    local current = timeline()
    if current then
        current:DeleteMarkerByCustomData(HINT)
    end
end

local function serve(found)
    local session, beat = found.session, found.beat
    local owner = (tostring({}) .. os.clock()):gsub("%W", ""):sub(-24)
    local last, silent, idle, was_accepted = 0, 0, 0, false
    tell(session, owner, 0, '{"value":"hello"}')
    while silent < PATIENCE_S do
        local now = read("companion.lua")
        if now and now.session == session and now.beat ~= beat then
            beat, silent = now.beat, 0
        end
        if now and now.owner == owner then
            was_accepted = true
        elseif now and now.session == session and was_accepted then
            return -- The script was clicked again; that one goes on.
        end
        local message = read("request.lua")
        local is_ours = message and message.session == session and message.owner == owner
        if is_ours and type(message.id) == "number" and message.id > last then
            last, idle, silent = message.id, 0, 0
            if message["do"] == "end" then
                return
            end
            tell(session, owner, last, answer_to(message))
        end
        local pause = idle < 5 and QUICK_S or SLOW_S
        bmd.wait(pause)
        silent, idle = silent + pause, idle + pause
    end
end

local found = companion()
if found then
    take_hint_away()
    serve(found)
    objects = {}
    fusion:SetPrefs(ANSWER, "")
    fusion:SavePrefs()
else
    hint()
end
