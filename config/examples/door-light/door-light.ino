// A light at a door: an ESP32 with three LEDs that shows what a room is, and that it does not know.
//
//   green            free
//   green + yellow   free, and the next meeting starts within minutes
//   red              busy
//   yellow, blinking not known: no network, no clock, no daemon, or the state is too old
//
// Needs the board package "esp32" 2.0 or newer, and of the library manager "PubSubClient" 2.8 and "ArduinoJson" 7.
// PubSubClient speaks MQTT 3.1.1, in which no message expires, so the sketch looks at valid_until and at the clock.

#include <ArduinoJson.h>
#include <PubSubClient.h>
#include <WiFi.h>
#include <time.h>

// --- What is yours ---------------------------------------------------------------------------------------------

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

// --- What is known ---------------------------------------------------------------------------------------------

enum Light { UNKNOWN, FREE, STARTING, BUSY };

const unsigned long BRIDGE_HOLDS = 90000; // ms for which `online` is believed; it is said every 30 s
const time_t CLOCK_IS_SET = 1700000000;   // before the first answer of NTP it is 1970

WiFiClient network;
PubSubClient mqtt(network);
char stateTopic[160], bridgeTopic[160], clientId[40];

Light told = UNKNOWN;      // by the last state
time_t validUntil = 0;     // UTC
int64_t epoch = -1, seq = -1;
bool bridgeOnline = false;
unsigned long bridgeHeard = 0, lastAttempt = 0;

// "2026-10-06T08:44:31.120Z" as seconds; 0 if it is no such time. The clock runs in UTC, so mktime takes UTC.
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
  told = UNKNOWN;
  validUntil = 0;
}

void hearState(const byte *payload, unsigned int length) {
  if (length == 0) { // cleared: the room is gone, or was begun anew
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
    return; // older than what is known
  }
  epoch = itsEpoch;
  seq = itsSeq;
  validUntil = parseTime(state["valid_until"]);
  const char *status = state["status"] | "unknown";
  if (strcmp(status, "free") == 0) {
    told = FREE;
  } else if (strcmp(status, "starting") == 0) {
    told = STARTING;
  } else if (strcmp(status, "busy") == 0 || strcmp(status, "pending") == 0) {
    told = BUSY;
  } else {
    told = UNKNOWN; // also a word of a later version
  }
}

void hearBridge(const byte *payload, unsigned int length) {
  JsonDocument bridge;
  bridgeOnline = !deserializeJson(bridge, payload, length) && bridge["state"] == "online";
  bridgeHeard = millis();
}

void hear(char *topic, byte *payload, unsigned int length) {
  if (strcmp(topic, stateTopic) == 0) {
    hearState(payload, length);
  } else if (strcmp(topic, bridgeTopic) == 0) {
    hearBridge(payload, length);
  }
}

// --- What is shown ---------------------------------------------------------------------------------------------

Light shown() {
  const time_t now = time(nullptr);
  if (!mqtt.connected() || now < CLOCK_IS_SET) {
    return UNKNOWN;
  }
  if (!bridgeOnline || millis() - bridgeHeard >= BRIDGE_HOLDS) {
    return UNKNOWN;
  }
  return now < validUntil ? told : UNKNOWN;
}

void show(Light light) {
  const bool blink = millis() / 500 % 2 == 0;
  digitalWrite(GREEN, light == FREE || light == STARTING ? HIGH : LOW);
  digitalWrite(YELLOW, light == STARTING || (light == UNKNOWN && blink) ? HIGH : LOW);
  digitalWrite(RED, light == BUSY ? HIGH : LOW);
}

// --- Its life --------------------------------------------------------------------------------------------------

void connectToBroker() {
  if (WiFi.status() != WL_CONNECTED || (lastAttempt != 0 && millis() - lastAttempt < 5000)) {
    return;
  }
  lastAttempt = millis();
  forgetState(); // what holds comes again: it is retained
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
  // One client identifier a panel: two of the same throw each other out.
  snprintf(clientId, sizeof clientId, "light-%llx", (unsigned long long)ESP.getEfuseMac());
  WiFi.mode(WIFI_STA);
  WiFi.setAutoReconnect(true);
  WiFi.begin(WIFI_NAME, WIFI_PASSWORD);
  configTime(0, 0, NTP_SERVER); // UTC, and kept right from then on
  mqtt.setServer(BROKER, BROKER_PORT);
  mqtt.setBufferSize(4096); // a state is larger than the 256 bytes that are usual
  mqtt.setKeepAlive(15);
  mqtt.setCallback(hear);
}

void loop() {
  if (!mqtt.loop()) {
    connectToBroker();
  }
  show(shown());
  delay(20);
}
