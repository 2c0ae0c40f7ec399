/** Style sheets are imported for what they do, by the bundler alone. */
declare module '*.css'
