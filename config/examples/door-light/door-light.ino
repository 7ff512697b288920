// A light at a door: an ESP32 with three LEDs that shows the status of a room, also if it is unknown.
//
//   green            free
//   green + yellow   free, and the next meeting starts within minutes
//   red              busy
//   yellow, blinking unknown: no network, no clock, no daemon, or the state has expired
//
// Needs the board package "esp32" 2.0 or newer, and from the library manager "PubSubClient" 2.8 and "ArduinoJson" 7.
// PubSubClient supports MQTT 3.1.1, where messages do not expire, so the sketch compares valid_until with the clock.

#include <ArduinoJson.h>
#include <PubSubClient.h>
#include <WiFi.h>
#include <time.h>

// --- Your settings ---------------------------------------------------------------------------------------------

const char *WIFI_NAME = "…";
const char *WIFI_PASSWORD = "…";
const char *BROKER = "broker.example";
const uint16_t BROKER_PORT = 1883;
const char *BROKER_USER = nullptr; // or "panel"
const char *BROKER_PASSWORD = nullptr;
const char *NTP_SERVER = "pool.ntp.org";
const char *BASE_TOPIC = "placed";
const char *ROOM = "boardroom";
const int GREEN = 25, YELLOW = 26, RED = 27;

// --- The known state ---------------------------------------------------------------------------------------------

enum Light { UNKNOWN, FREE, STARTING, BUSY };

const unsigned long BRIDGE_HOLDS = 90000; // ms for which `online` is valid; it is published every 30 s
const time_t CLOCK_IS_SET = 1700000000;   // before the first answer of NTP the clock is at 1970

WiFiClient network;
PubSubClient mqtt(network);
char stateTopic[160], bridgeTopic[160], clientId[40];

Light received = UNKNOWN;  // from the last state
time_t validUntil = 0;     // UTC
int64_t epoch = -1, seq = -1;
bool bridgeOnline = false;
unsigned long bridgeHeard = 0, lastAttempt = 0;

// "2026-10-06T08:44:31.120Z" as seconds; 0 if it is invalid. The clock runs in UTC, so mktime takes UTC.
time_t parseTime(const char *text) {
  struct tm parts = {};
  if (text == nullptr || sscanf(text, "%d-%d-%dT%d:%d:%d", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                                &parts.tm_hour, &parts.tm_min, &parts.tm_sec) != 6 ||
      text[strlen(text) - 1] != 'Z') {
    return 0;
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  return mktime(&parts);
}

void forgetState() {
  received = UNKNOWN;
  validUntil = 0;
}

void onState(const byte *payload, unsigned int length) {
  if (length == 0) { // cleared: the room was removed, or its order begins again
    forgetState();
    epoch = seq = -1;
    return;
  }
  JsonDocument state;
  if (deserializeJson(state, payload, length) || state["schema"] != 1 || state["room"] != ROOM) {
    forgetState();
    return;
  }
  const int64_t itsEpoch = state["epoch"], itsSeq = state["seq"];
  if (itsEpoch < epoch || (itsEpoch == epoch && itsSeq < seq)) {
    return; // older than the known state
  }
  epoch = itsEpoch;
  seq = itsSeq;
  validUntil = parseTime(state["valid_until"]);
  const char *status = state["status"] | "unknown";
  if (strcmp(status, "free") == 0) {
    received = FREE;
  } else if (strcmp(status, "starting") == 0) {
    received = STARTING;
  } else if (strcmp(status, "busy") == 0 || strcmp(status, "pending") == 0) {
    received = BUSY;
  } else {
    received = UNKNOWN; // also a status of a later version
  }
}

void onBridge(const byte *payload, unsigned int length) {
  JsonDocument bridge;
  bridgeOnline = !deserializeJson(bridge, payload, length) && bridge["state"] == "online";
  bridgeHeard = millis();
}

void onMessage(char *topic, byte *payload, unsigned int length) {
  if (strcmp(topic, stateTopic) == 0) {
    onState(payload, length);
  } else if (strcmp(topic, bridgeTopic) == 0) {
    onBridge(payload, length);
  }
}

// --- The shown state ---------------------------------------------------------------------------------------------

Light shown() {
  const time_t now = time(nullptr);
  if (!mqtt.connected() || now < CLOCK_IS_SET) {
    return UNKNOWN;
  }
  if (!bridgeOnline || millis() - bridgeHeard >= BRIDGE_HOLDS) {
    return UNKNOWN;
  }
  return now < validUntil ? received : UNKNOWN;
}

void show(Light light) {
  const bool blink = millis() / 500 % 2 == 0;
  digitalWrite(GREEN, light == FREE || light == STARTING ? HIGH : LOW);
  digitalWrite(YELLOW, light == STARTING || (light == UNKNOWN && blink) ? HIGH : LOW);
  digitalWrite(RED, light == BUSY ? HIGH : LOW);
}

// --- The main loop --------------------------------------------------------------------------------------------------

void connectToBroker() {
  if (WiFi.status() != WL_CONNECTED || (lastAttempt != 0 && millis() - lastAttempt < 5000)) {
    return;
  }
  lastAttempt = millis();
  forgetState(); // the current state arrives again: it is retained
  bridgeOnline = false;
  if (mqtt.connect(clientId, BROKER_USER, BROKER_PASSWORD)) {
    mqtt.subscribe(bridgeTopic, 1);
    mqtt.subscribe(stateTopic, 1);
  }
}

void setup() {
  for (int pin : {GREEN, YELLOW, RED}) {
    pinMode(pin, OUTPUT);
  }
  snprintf(stateTopic, sizeof stateTopic, "%s/rooms/%s/state", BASE_TOPIC, ROOM);
  snprintf(bridgeTopic, sizeof bridgeTopic, "%s/bridge/state", BASE_TOPIC);
  // One client identifier per panel: the broker disconnects the older of two clients with the same one.
  snprintf(clientId, sizeof clientId, "light-%llx", (unsigned long long)ESP.getEfuseMac());
  WiFi.mode(WIFI_STA);
  WiFi.setAutoReconnect(true);
  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
  configTime(0, 0, NTP_SERVER); // UTC, synchronised from then on
  mqtt.setServer(BROKER, BROKER_PORT);
  mqtt.setBufferSize(4096); // a state is larger than the default of 256 bytes
  mqtt.setKeepAlive(15);
  mqtt.setCallback(onMessage);
}

void loop() {
  if (!mqtt.loop()) {
    connectToBroker();
  }
  show(shown());
  delay(20);
}
