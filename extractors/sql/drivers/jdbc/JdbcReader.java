import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.Reader;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.SQLTimeoutException;
import java.sql.Statement;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Calendar;
import java.util.GregorianCalendar;
import java.util.Locale;
import java.util.Properties;
import java.util.TimeZone;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Reads queries over JDBC for a parent process: one connection, one read-only transaction.
 *
 * <p>Standard input holds messages, each a list of strings: first where and how to connect, then a
 * query each, at last none, the farewell. Nothing of it is ever an argument or a variable of the process.
 * When standard input ends without a farewell the parent is dead, and this process ends as well.
 *
 * <p>Standard output holds frames: a letter, a length, and as many bytes. R: connected. H: a query's
 * columns. D: whole rows as CSV. E: the query's end and its number of rows; without it, rows are
 * missing. X: an error, by kind, SQLSTATE and vendor's code. A driver's message is never passed on:
 * it may quote a row or a value.
 *
 * <p>Java 11 or later; shipped as source and compiled where it runs.
 */
public final class JdbcReader {

    private static final int BATCH_CHARS = 1 << 21;
    private static final int MOST_COUNTS = 1000;
    private static final DateTimeFormatter ISO = DateTimeFormatter.ISO_LOCAL_DATE_TIME;
    private static final char[] HEX = "0123456789abcdef".toCharArray();

    private final BlockingQueue<String[]> messages = new LinkedBlockingQueue<>();
    private final DataOutputStream frames;
    private Connection connection;
    private int queryTimeoutSeconds;
    private int fetchRows;
    /** The zone of timestamps that carry none; null leaves them as they are. */
    private ZoneId zone;
    /** MySQL or MariaDB: their TIMESTAMP is a moment, told in the session's zone. */
    private boolean isMysql;
    /** Its session compares moments with times of the zone as they should be. */
    private boolean isPostgresql;
    /** Whether the driver has handed over a class of java.time, which drivers before Java 8 lack. */
    private boolean hasJavaTime;
    /** Whether it has refused one, and handed over the same time as a class of java.sql. */
    private boolean lacksJavaTime;
    /** Whether the driver refuses to be set read-only once it is connected. */
    private boolean refusesReadOnly;

    private JdbcReader(OutputStream out) {
        this.frames = new DataOutputStream(out);
    }

    public static void main(String[] arguments) throws Exception {
        OutputStream frames = new FileOutputStream(FileDescriptor.out);
        // What a driver prints must neither look like a frame nor end up in anyone's log.
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        System.setOut(nowhere);
        System.setErr(nowhere);
        JdbcReader reader = new JdbcReader(frames);
        Thread listener = new Thread(reader::listen, "listener");
        listener.setDaemon(true);
        listener.start();
        reader.serve();
        Runtime.getRuntime().halt(0);
    }

    // --- messages in, frames out ---------------------------------------------------------------

    /** Takes in messages until standard input ends; without a farewell the parent has died. */
    private void listen() {
        try (DataInputStream in = new DataInputStream(new BufferedInputStream(System.in))) {
            while (true) {
                String[] message = new String[in.readInt()];
                for (int i = 0; i < message.length; i++) {
                    message[i] = readText(in);
                }
                messages.add(message);
                if (message.length == 0) {
                    return;
                }
            }
        } catch (EOFException ended) {
            Runtime.getRuntime().halt(3);
        } catch (IOException broken) {
            Runtime.getRuntime().halt(4);
        }
    }

    private static String readText(DataInputStream in) throws IOException {
        int length = in.readInt();
        if (length < 0) {
            return null;
        }
        byte[] bytes = new byte[length];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private void send(char letter, byte[] bytes) throws IOException {
        frames.writeByte(letter);
        frames.writeInt(bytes.length);
        frames.write(bytes);
        frames.flush();
    }

    private void sendTexts(char letter, String... texts) throws IOException {
        StringBuilder row = new StringBuilder();
        for (String text : texts) {
            row.append(row.length() == 0 ? "" : ",");
            quote(row, text == null ? "" : text);
        }
        send(letter, row.toString().getBytes(StandardCharsets.UTF_8));
    }

    /** Answers message by message. After an error nothing more is answered: the parent gives up. */
    private void serve() throws InterruptedException, IOException {
        try {
            connect(messages.take());
            for (String[] message = messages.take(); message.length > 0; message = messages.take()) {
                answer(message);
            }
            connection.rollback();
            connection.close();
        } catch (SQLException error) {
            String code = String.valueOf(error.getErrorCode());
            sendTexts('X', kindOf(error), error.getSQLState(), code, saidAtLogin(error));
        } catch (CharacterCodingException error) {
            sendTexts('X', "encoding", null, "0");
        } catch (RefusedException error) {
            sendTexts('X', error.getMessage(), null, "0");
        } catch (OutOfMemoryError error) {
            sendTexts('X', "memory", null, "0");
        } catch (RuntimeException | LinkageError error) {
            // A driver's bug, or a class that it lacks: the kind of exception says no value.
            sendTexts('X', "driver:" + error.getClass().getSimpleName(), null, "0");
        }
    }

    /** What is wrong that no SQLException says; the message is a kind for the parent. */
    private static final class RefusedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        RefusedException(String kind) {
            super(kind);
        }
    }

    /** What the driver says of a login that failed; once rows may be quoted, nothing. */
    private String saidAtLogin(Throwable error) {
        StringBuilder said = new StringBuilder();
        for (Throwable cause = error; connection == null && cause != null; cause = cause.getCause()) {
            said.append(cause.getMessage()).append('\n');
        }
        return said.toString();
    }

    private static String kindOf(SQLException error) {
        for (Throwable cause = error; cause != null; cause = cause.getCause()) {
            if (cause instanceof SQLTimeoutException) {
                return "timeout";
            }
            if (cause instanceof java.net.UnknownHostException) {
                return "unknown_host";
            }
            if (cause instanceof javax.net.ssl.SSLException
                    || cause instanceof java.security.GeneralSecurityException) {
                return "tls";
            }
            if (cause instanceof java.net.SocketTimeoutException) {
                return "timeout";
            }
            if (cause instanceof java.net.ConnectException) {
                return "refused";
            }
        }
        return "sql";
    }

    // --- the connection ------------------------------------------------------------------------

    /** url, user, password, login timeout, query timeout, rows a fetch, zone, then properties. */
    private void connect(String[] message) throws SQLException, IOException {
        Properties properties = new Properties();
        if (message[1] != null) {
            properties.setProperty("user", message[1]);
        }
        if (message[2] != null) {
            properties.setProperty("password", message[2]);
        }
        for (int i = 7; i + 1 < message.length; i += 2) {
            properties.setProperty(message[i], message[i + 1]);
        }
        queryTimeoutSeconds = Integer.parseInt(message[4]);
        fetchRows = Integer.parseInt(message[5]);
        zone = message[6] == null ? null : ZoneId.of(message[6]);
        DriverManager.setLoginTimeout(Integer.parseInt(message[3]));
        requireDriver(message[0]);
        connection = DriverManager.getConnection(message[0], properties);
        String isolation = beginReading();
        DatabaseMetaData about = connection.getMetaData();
        sendTexts(
                'R',
                about.getDatabaseProductName(),
                about.getDatabaseProductVersion(),
                about.getDriverName(),
                about.getDriverVersion(),
                isolation,
                String.valueOf(connection.isReadOnly() && !refusesReadOnly),
                String.valueOf(refusesReadOnly));
    }

    private static void requireDriver(String url) {
        try {
            DriverManager.getDriver(url);
        } catch (SQLException none) {
            throw new RefusedException("no_driver");
        }
    }

    /** Begins a read-only transaction at the strongest isolation up to REPEATABLE READ. */
    private String beginReading() throws SQLException {
        try {
            connection.setReadOnly(true);
        } catch (SQLException refused) {
            refusesReadOnly = true;
        }
        DatabaseMetaData about = connection.getMetaData();
        String product = about.getDatabaseProductName().toLowerCase(Locale.ROOT);
        if (product.contains("oracle") && !about.getURL().startsWith("jdbc:h2:")) {
            // Oracle has no REPEATABLE READ; its read-only transaction is one snapshot throughout.
            connection.setAutoCommit(false);
            run("SET TRANSACTION READ ONLY");
            return "repeatable read";
        }
        int[] levels = {
            Connection.TRANSACTION_REPEATABLE_READ,
            Connection.TRANSACTION_SERIALIZABLE,
            Connection.TRANSACTION_READ_COMMITTED
        };
        String[] names = {"repeatable read", "serializable", "read committed"};
        String isolation = "the database's own";
        for (int i = 0; i < levels.length; i++) {
            if (about.supportsTransactionIsolationLevel(levels[i])) {
                connection.setTransactionIsolation(levels[i]);
                isolation = names[i];
                break;
            }
        }
        isPostgresql = product.equals("postgresql");
        if (isPostgresql) {
            run("SET TIME ZONE '" + (zone == null ? "UTC" : zone.getId()) + "'");
        }
        isMysql = product.contains("mysql") || product.contains("mariadb");
        if (isMysql) {
            // setReadOnly is a hint to these drivers; this is the server's own word for it.
            run("SET SESSION TRANSACTION READ ONLY");
            // Limits of the URL's or the server's would cut off what is longer.
            run("SET SESSION sql_select_limit = 18446744073709551615");
            run("SET SESSION group_concat_max_len = 4294967295");
            run("SET SESSION max_error_count = 65535");
            setMysqlZone();
        }
        connection.setAutoCommit(false);
        return isolation;
    }

    private void setMysqlZone() throws SQLException {
        boolean isUtc = zone == null || zone.getId().equals("UTC");
        try {
            run("SET SESSION time_zone = '" + (isUtc ? "+00:00" : zone.getId()) + "'");
        } catch (SQLException error) {
            if (error.getErrorCode() == 1298) {
                throw new RefusedException("zone");
            }
            throw error;
        }
    }

    private void run(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    // --- a query -------------------------------------------------------------------------------

    /** sql, then type and value of each parameter: `text`, or `timestamp` as an ISO instant. */
    private void answer(String[] message) throws SQLException, IOException {
        try (PreparedStatement statement =
                connection.prepareStatement(
                        message[0], ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
            prepare(statement);
            for (int i = 1; i + 1 < message.length; i += 2) {
                bind(statement, (i + 1) / 2, message[i], message[i + 1]);
            }
            // A procedure may report counts before its rows.
            boolean isRows = statement.execute();
            while (!isRows) {
                if (statement.getUpdateCount() == -1) {
                    throw new RefusedException("no_rows");
                }
                isRows = statement.getMoreResults();
            }
            long read;
            try (ResultSet rows = statement.getResultSet()) {
                read = stream(rows);
            }
            requireEnd(statement);
            if (isMysql) {
                requireNothingCut();
            }
            send('E', String.valueOf(read).getBytes(StandardCharsets.US_ASCII));
        }
    }

    /** A procedure may have more rows to return, or an error to tell. */
    private void requireEnd(PreparedStatement statement) throws SQLException {
        try {
            // Some drivers say of a query for ever that it changed no row.
            for (int i = 0; i < MOST_COUNTS; i++) {
                if (statement.getMoreResults()) {
                    throw new RefusedException("more_rows");
                }
                if (statement.getUpdateCount() == -1) {
                    return;
                }
            }
        } catch (SQLFeatureNotSupportedException unsupported) {
            // Such a driver has one result.
        }
    }

    /** MySQL cuts GROUP_CONCAT, conversions, long values and LIMIT ROWS EXAMINED with a warning. */
    private void requireNothingCut() throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet warnings = statement.executeQuery("SHOW WARNINGS")) {
            while (warnings.next()) {
                int code = warnings.getInt(2);
                if (code == 1260 || code == 1265 || code == 1301 || code == 1931) {
                    throw new RefusedException("cut");
                }
            }
        }
    }

    private void prepare(PreparedStatement statement) throws SQLException {
        try {
            statement.setQueryTimeout(queryTimeoutSeconds);
        } catch (SQLFeatureNotSupportedException unsupported) {
            // The parent has a limit of its own.
        }
        boolean oneByOne = connection.getMetaData().getDriverName().startsWith("MySQL");
        // MySQL's own driver holds all rows in memory unless it is asked for them one by one.
        statement.setFetchSize(oneByOne ? Integer.MIN_VALUE : fetchRows);
        // Limits that a URL or a driver may carry would cut rows or values off without a word.
        if (statement.getMaxRows() != 0) {
            throw new RefusedException("max_rows");
        }
        if (statement.getMaxFieldSize() != 0) {
            statement.setMaxFieldSize(0);
        }
    }

    private void bind(PreparedStatement statement, int place, String type, String value)
            throws SQLException {
        if (!type.equals("timestamp")) {
            statement.setString(place, value);
            return;
        }
        Instant instant = Instant.parse(value);
        int expected = isPostgresql ? Types.TIMESTAMP_WITH_TIMEZONE : Types.TIMESTAMP;
        try {
            if (!isPostgresql) {
                expected = statement.getParameterMetaData().getParameterType(place);
            }
        } catch (SQLException | RuntimeException unknown) {
            // Many drivers cannot tell; the standard's own way of binding then does.
        }
        if (expected == Types.TIMESTAMP_WITH_TIMEZONE) {
            statement.setObject(place, instant.atOffset(ZoneOffset.UTC));
            return;
        }
        TimeZone local = TimeZone.getTimeZone(zone == null ? ZoneOffset.UTC : zone);
        Calendar calendar = new GregorianCalendar(local, Locale.ROOT);
        statement.setTimestamp(place, Timestamp.from(instant), calendar);
    }

    private long stream(ResultSet rows) throws SQLException, IOException {
        ResultSetMetaData about = rows.getMetaData();
        int count = about.getColumnCount();
        String[] header = new String[2 * count];
        Form[] forms = new Form[count];
        for (int i = 0; i < count; i++) {
            header[2 * i] = about.getColumnLabel(i + 1);
            header[2 * i + 1] = about.getColumnTypeName(i + 1);
            forms[i] = formOf(about, i + 1);
        }
        sendTexts('H', header);
        StringBuilder batch = new StringBuilder(BATCH_CHARS + (BATCH_CHARS >> 2));
        long read = 0;
        while (rows.next()) {
            // The first column keeps a row of one NULL from being an empty line.
            batch.append('1');
            for (int i = 0; i < count; i++) {
                batch.append(',');
                String text = textOf(rows, i + 1, forms[i]);
                if (text != null) {
                    quote(batch, text);
                }
            }
            batch.append('\n');
            read++;
            if (batch.length() >= BATCH_CHARS) {
                sendRows(batch);
            }
        }
        sendRows(batch);
        return read;
    }

    private void sendRows(StringBuilder batch) throws IOException {
        if (batch.length() == 0) {
            return;
        }
        // Unlike getBytes, an encoder refuses half a character instead of writing a question mark.
        ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(batch));
        frames.writeByte('D');
        frames.writeInt(bytes.remaining());
        frames.write(bytes.array(), bytes.arrayOffset() + bytes.position(), bytes.remaining());
        frames.flush();
        batch.setLength(0);
    }

    private static void quote(StringBuilder row, String text) {
        row.append('"');
        if (text.indexOf('"') < 0) {
            row.append(text);
        } else {
            row.append(text.replace("\"", "\"\""));
        }
        row.append('"');
    }

    // --- values as text ------------------------------------------------------------------------

    private enum Form {
        ZONED, LOCAL, MOMENT, DATE, TIME, LONG_TEXT, DRIVERS_TEXT, ARRAY, BY_CLASS
    }

    private Form formOf(ResultSetMetaData about, int column) throws SQLException {
        int type = about.getColumnType(column);
        String typeName = about.getColumnTypeName(column);
        String name = typeName == null ? "" : typeName.toLowerCase(Locale.ROOT);
        // Drivers disagree on the number of a type with a zone, and agree on its name.
        if (type == Types.TIMESTAMP_WITH_TIMEZONE
                || name.equals("timestamptz")
                || name.equals("datetimeoffset")
                || name.startsWith("timestamp") && name.contains("time zone")
                        && !name.contains("without")) {
            return Form.ZONED;
        }
        // H2 hands JSON over as bytes.
        if (name.equals("year") || name.equals("money") || name.startsWith("json")) {
            return Form.DRIVERS_TEXT;
        }
        // HSQLDB makes one boolean of any number of bits.
        if (type == Types.BIT && !isMysql && (about.getPrecision(column) > 1 || name.contains("varying"))) {
            return Form.DRIVERS_TEXT;
        }
        if (type == Types.ARRAY && !isPostgresql) {
            return Form.ARRAY;
        }
        switch (type) {
            case Types.TIMESTAMP:
                return isMysql && name.equals("timestamp") ? Form.MOMENT : Form.LOCAL;
            case Types.DATE:
                return Form.DATE;
            case Types.CLOB:
            case Types.NCLOB:
                return Form.LONG_TEXT;
            case Types.TIME:
                return Form.TIME;
            case Types.TIME_WITH_TIMEZONE:
            case Types.ARRAY:
            case Types.SQLXML:
            case Types.ROWID:
            case Types.CHAR:
            case Types.VARCHAR:
            case Types.LONGVARCHAR:
            case Types.NCHAR:
            case Types.NVARCHAR:
            case Types.LONGNVARCHAR:
                return Form.DRIVERS_TEXT;
            default:
                return Form.BY_CLASS;
        }
    }

    private String textOf(ResultSet rows, int column, Form form) throws SQLException, IOException {
        switch (form) {
            case DRIVERS_TEXT:
                return rows.getString(column);
            case ZONED:
                return zonedText(rows.getObject(column, OffsetDateTime.class));
            case LOCAL:
                return localText(localTime(rows, column), zone);
            case MOMENT:
                return localText(localTime(rows, column), zone == null ? ZoneOffset.UTC : zone);
            case TIME:
                return withoutZeros(rows.getString(column));
            case DATE:
                return dateText(localDate(rows, column));
            case ARRAY:
                return arrayText(rows.getArray(column));
            case LONG_TEXT:
                return longText(rows.getCharacterStream(column));
            default:
                return objectText(rows, column, rows.getObject(column));
        }
    }

    /** A driver from before Java 8 says of any class of java.time that it is a wrong one. */
    private LocalDateTime localTime(ResultSet rows, int column) throws SQLException {
        try {
            if (!lacksJavaTime) {
                LocalDateTime time = rows.getObject(column, LocalDateTime.class);
                hasJavaTime |= time != null;
                return time;
            }
        } catch (SQLException | AbstractMethodError unknown) {
            requireOld(unknown);
        }
        Timestamp time = rows.getTimestamp(column);
        lacksJavaTime = true;
        return time == null ? null : time.toLocalDateTime();
    }

    private LocalDate localDate(ResultSet rows, int column) throws SQLException {
        try {
            if (!lacksJavaTime) {
                LocalDate date = rows.getObject(column, LocalDate.class);
                hasJavaTime |= date != null;
                return date;
            }
        } catch (SQLException | AbstractMethodError unknown) {
            requireOld(unknown);
        }
        Date date = rows.getDate(column);
        lacksJavaTime = true;
        return date == null ? null : date.toLocalDate();
    }

    /** What a driver refuses that has handed over such a class before is a value, and no class. */
    private void requireOld(Throwable refusal) throws SQLException {
        if (hasJavaTime && refusal instanceof SQLException) {
            throw (SQLException) refusal;
        }
    }

    private String arrayText(Array array) throws SQLException, IOException {
        if (array == null) {
            return null;
        }
        StringBuilder json = new StringBuilder();
        appendJson(json, array.getArray());
        return json.toString();
    }

    /** Numbers and booleans as such, the rest as text, all canonical; no blanks. */
    private void appendJson(StringBuilder json, Object value) throws SQLException, IOException {
        if (value instanceof Array) {
            appendJson(json, ((Array) value).getArray());
        } else if (value instanceof Object[]) {
            String between = "[";
            for (Object element : (Object[]) value) {
                json.append(between);
                appendJson(json, element);
                between = ",";
            }
            json.append(between.equals("[") ? "[]" : "]");
        } else if (value == null || value instanceof Boolean) {
            json.append(value);
        } else {
            String text = elementText(value);
            boolean isBare = value instanceof Number && text.matches("-?[0-9.]+");
            if (isBare) {
                json.append(text);
            } else {
                quoteJson(json, text);
            }
        }
    }

    private String elementText(Object value) throws SQLException, IOException {
        if (value instanceof BigDecimal || value instanceof Double || value instanceof Float) {
            return fractionText((Number) value);
        }
        if (value instanceof byte[]) {
            return hex((byte[]) value);
        }
        if (value instanceof Clob) {
            return longText(((Clob) value).getCharacterStream());
        }
        if (value instanceof Timestamp) {
            return localText(((Timestamp) value).toLocalDateTime(), zone);
        }
        if (value instanceof LocalDateTime) {
            return localText((LocalDateTime) value, zone);
        }
        if (value instanceof Time) {
            return withoutZeros(value.toString());
        }
        return value instanceof OffsetDateTime ? zonedText((OffsetDateTime) value) : value.toString();
    }

    private static void quoteJson(StringBuilder json, String text) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char letter = text.charAt(i);
            int escaped = "\"\\\n\r\t\b\f".indexOf(letter);
            if (escaped >= 0) {
                json.append('\\').append("\"\\nrtbf".charAt(escaped));
            } else if (letter < ' ') {
                json.append(String.format("\\u%04x", (int) letter));
            } else {
                json.append(letter);
            }
        }
        json.append('"');
    }

    private static String zonedText(OffsetDateTime moment) {
        if (moment == null) {
            return null;
        }
        if (moment.toLocalDateTime().equals(LocalDateTime.MAX)) {
            return "infinity";
        }
        if (moment.toLocalDateTime().equals(LocalDateTime.MIN)) {
            return "-infinity";
        }
        return ISO.format(moment.withOffsetSameInstant(ZoneOffset.UTC)) + "Z";
    }

    /** A time's fraction of a second without the zeros that end it. */
    private static String withoutZeros(String time) {
        boolean hasFraction = time != null && time.matches("-?\\d+:\\d\\d:\\d\\d\\.\\d+");
        return hasFraction ? time.replaceAll("\\.?0*$", "") : time;
    }

    private static String localText(LocalDateTime time, ZoneId zone) {
        if (time == null) {
            return null;
        }
        if (time.equals(LocalDateTime.MAX) || time.equals(LocalDateTime.MIN)) {
            return time.equals(LocalDateTime.MAX) ? "infinity" : "-infinity";
        }
        if (zone == null) {
            return ISO.format(time);
        }
        ZonedDateTime placed = time.atZone(zone).withEarlierOffsetAtOverlap();
        if (!placed.toLocalDateTime().equals(time)) {
            // The clock was put forward over it: no moment, and not to be taken for one.
            return ISO.format(time) + " " + zone.getId();
        }
        return ISO.format(placed.withZoneSameInstant(ZoneOffset.UTC)) + "Z";
    }

    private static String dateText(LocalDate date) {
        if (date == null) {
            return null;
        }
        if (date.equals(LocalDate.MAX) || date.equals(LocalDate.MIN)) {
            return date.equals(LocalDate.MAX) ? "infinity" : "-infinity";
        }
        return date.toString();
    }

    private static String longText(Reader characters) throws IOException {
        if (characters == null) {
            return null;
        }
        try (Reader in = characters) {
            StringBuilder text = new StringBuilder();
            char[] some = new char[8192];
            for (int count = in.read(some); count >= 0; count = in.read(some)) {
                text.append(some, 0, count);
            }
            return text.toString();
        }
    }

    private String objectText(ResultSet rows, int column, Object value)
            throws SQLException, IOException {
        if (value == null) {
            return null;
        }
        if (isMysql && value instanceof Boolean) {
            // A computed BIT(1) comes as a digit, of which its drivers know but one.
            byte[] bits = rows.getBytes(column);
            return String.valueOf(bits.length == 1 && bits[0] != 0 && bits[0] != '0');
        }
        if (value instanceof BigDecimal) {
            return ((BigDecimal) value).toPlainString();
        }
        if (value instanceof Double || value instanceof Float) {
            return fractionText((Number) value);
        }
        if (value instanceof byte[]) {
            return hex((byte[]) value);
        }
        if (value instanceof Blob) {
            return hex(((Blob) value).getBinaryStream().readAllBytes());
        }
        if (value instanceof Clob) {
            return longText(((Clob) value).getCharacterStream());
        }
        if (value instanceof Timestamp) {
            return localText(((Timestamp) value).toLocalDateTime(), zone);
        }
        if (value instanceof OffsetDateTime) {
            return zonedText((OffsetDateTime) value);
        }
        if (value instanceof Number || value instanceof Boolean || value instanceof java.util.UUID) {
            return value.toString();
        }
        return rows.getString(column);
    }

    /** The shortest digits that mean the number, without an exponent or an empty fraction. */
    private static String fractionText(Number number) {
        double value = number.doubleValue();
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            return number.toString();
        }
        BigDecimal exact = new BigDecimal(number.toString());
        return exact.signum() == 0 ? "0" : exact.stripTrailingZeros().toPlainString();
    }

    private static String hex(byte[] bytes) {
        char[] digits = new char[2 * bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            digits[2 * i] = HEX[(bytes[i] >> 4) & 15];
            digits[2 * i + 1] = HEX[bytes[i] & 15];
        }
        return new String(digits);
    }
}
